/* text: values as short texts for people, the same everywhere on the screen. Pure. */
#ifndef WATCH_TEXT_H
#define WATCH_TEXT_H

#include "sample.h"

#define TEXT_MAX 320 /* the longest is an address */

/* Writes a number in at most 5 characters: 99999, 123k, 1.2M. Returns text. */
char *text_count(char text[TEXT_MAX], uint64_t number);
/* Writes microseconds in at most 6 characters: 850us, 1.2ms. Returns text. */
char *text_micros(char text[TEXT_MAX], uint64_t us);
/* Writes bytes as attach does: 1.2 KiB. Returns text. */
char *text_bytes(char text[TEXT_MAX], uint64_t bytes);
/* Writes a cell of a sample: a rate that is not known as "-", a pid without its node. Returns
 * text. */
char *text_cell(char text[TEXT_MAX], const struct sample *sample, size_t row, int column);

#endif
