/* view: draws the model on a canvas, of any size. Pure. */
#ifndef WATCH_VIEW_H
#define WATCH_VIEW_H

#include "canvas.h"
#include "model.h"

/* Draws everything. Scrolls the model so that its cursor is seen. */
void view_draw(struct model *model, struct canvas *canvas);

#endif
