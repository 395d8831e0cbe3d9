/* detail: draws one process: its row, its last rates, and its links, monitors and senders. Pure. */
#ifndef WATCH_DETAIL_H
#define WATCH_DETAIL_H

#include "canvas.h"
#include "model.h"

/* Draws into the rows from `first` to the one before `last`. */
void detail_draw(const struct model *model, struct canvas *canvas, int first, int last);

#endif
