/* page: GET / and the files that it loads: a page that shows the live node. The page is the same
 * for everyone and has no data of the node. It asks for the data with the reader's token. On the
 * gateway's thread. */
#ifndef GATEWAY_PAGE_H
#define GATEWAY_PAGE_H

struct exchange;

enum page_file { PAGE_HTML, PAGE_CSS, PAGE_JS };

/* Handles the routes of the page. */
void page_get(struct exchange *x);

#endif
