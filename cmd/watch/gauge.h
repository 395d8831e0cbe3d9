/* gauge: the values of a node that a sparkline shows beside them. Pure. */
#ifndef WATCH_GAUGE_H
#define WATCH_GAUGE_H

#include "canvas.h"
#include "model.h"

/* Draws as many gauges side by side as the row has room for. */
void gauge_row(const struct model *model, struct canvas *canvas, int row);
/* Draws all gauges from that row on, one a row, each over the whole width. Returns the row behind
 * them. */
int gauge_column(const struct model *model, struct canvas *canvas, int row);
/* Draws one value: its label, the last of the series as `text`, and a sparkline. */
void gauge_draw(struct canvas *canvas, int row, int column, int width, const char *label,
                const char *text, enum face face, const struct series *series);

#endif
