/* page: GET / and what it loads: the live page of a node, the same for everyone; what it shows it asks for
 * with the reader's token. On the gateway's thread. */
#include <string.h>
#include "gateway/exchange.h"

/* assets.S */
extern const char asset_html[], asset_html_end[];
extern const char asset_css[], asset_css_end[];
extern const char asset_js[], asset_js_end[];

static const struct {
    const char *path, *type, *data, *end;
} page_files[] = {
    { "/", "text/html; charset=utf-8", asset_html, asset_html_end },
    { "/page.css", "text/css; charset=utf-8", asset_css, asset_css_end },
    { "/page.js", "text/javascript; charset=utf-8", asset_js, asset_js_end },
};

void page_get(struct exchange *x)
{
    size_t i = 0;

    while (strcmp(page_files[i].path, x->route->path) != 0) {
        i++;
    }
    /* Nothing from elsewhere, nothing to elsewhere, in nobody's frame: what a name on the node looks
     * like cannot become part of it. */
    answer_field(x, "content-security-policy",
                 "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
                 "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    answer_field(x, "x-content-type-options", "nosniff");
    answer_field(x, "referrer-policy", "no-referrer");
    answer_constant(x, 200, page_files[i].type, page_files[i].data,
                    (size_t)(page_files[i].end - page_files[i].data));
}
