/* page: see the header. */
#include "gateway/page.h"

#include "gateway/exchange.h"
#include "gateway/route.h"

/* assets.S */
extern const char asset_html[], asset_html_end[];
extern const char asset_css[], asset_css_end[];
extern const char asset_js[], asset_js_end[];

static const struct {
    const char *type, *data, *end;
} page_files[] = {
    [PAGE_HTML] = { "text/html; charset=utf-8", asset_html, asset_html_end },
    [PAGE_CSS] = { "text/css; charset=utf-8", asset_css, asset_css_end },
    [PAGE_JS] = { "text/javascript; charset=utf-8", asset_js, asset_js_end },
};

void page_get(struct exchange *x)
{
    enum page_file file = x->route->file;

    /* The page may not load from or send to other sites, nor be in a frame. So no text of the node
     * can act as a script of the page. */
    answer_field(x, "content-security-policy",
                 "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
                 "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    answer_field(x, "x-content-type-options", "nosniff");
    answer_field(x, "referrer-policy", "no-referrer");
    answer_constant(x, 200, page_files[file].type, page_files[file].data,
                    (size_t)(page_files[file].end - page_files[file].data));
}
