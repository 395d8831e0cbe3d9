/* summary: draws what there is to know of the node as a whole. Pure. */
#ifndef WATCH_SUMMARY_H
#define WATCH_SUMMARY_H

#include "canvas.h"
#include "model.h"

/* Draws into the rows from `first` to the one before `last`. */
void summary_draw(const struct model *model, struct canvas *canvas, int first, int last);

#endif
