/* request: see the header. A line has one verb, and fields that the verb takes. A key that is
 * neither is an error, so that a program learns of its misspellings. */
#include "port/request.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/err.h"
#include "port/base64.h"
#include "port/scan.h"

#define REQUEST_TIMEOUT_MS 5000 /* of a call, the same as the rusm command's */

enum {
    FIELD_DATA = 1,
    FIELD_REASON = 2,
    FIELD_REF = 4,
    FIELD_TIMEOUT = 8,
    FIELD_ARGS = 16,
    FIELD_NODE = 32,
    FIELD_GLOBAL = 64,
    FIELD_UNORDERED = 128,
};

enum request_value { VALUE_TEXT, VALUE_NUMBER, VALUE_FLAG, VALUE_REF };

static const struct {
    const char *word;
    enum request_value value;
    unsigned takes, needs; /* FIELD_*; every verb but demonitor takes a ref too */
} request_verbs[] = {
    [REQUEST_SEND] = { "to", VALUE_TEXT, FIELD_DATA | FIELD_UNORDERED, 0 },
    [REQUEST_REPLY] = { "reply", VALUE_NUMBER, FIELD_DATA, 0 },
    [REQUEST_REFUSE] = { "refuse", VALUE_NUMBER, FIELD_REASON, FIELD_REASON },
    [REQUEST_CALL] = { "call", VALUE_TEXT, FIELD_DATA | FIELD_TIMEOUT, FIELD_REF },
    [REQUEST_SPAWN] = { "spawn", VALUE_TEXT, FIELD_ARGS | FIELD_NODE, FIELD_REF },
    [REQUEST_MONITOR] = { "monitor", VALUE_TEXT, 0, FIELD_REF },
    [REQUEST_DEMONITOR] = { "demonitor", VALUE_REF, 0, 0 },
    [REQUEST_LINK] = { "link", VALUE_TEXT, 0, 0 },
    [REQUEST_UNLINK] = { "unlink", VALUE_TEXT, 0, 0 },
    [REQUEST_KILL] = { "kill", VALUE_TEXT, FIELD_REASON, FIELD_REASON },
    [REQUEST_REGISTER] = { "register", VALUE_TEXT, FIELD_GLOBAL, 0 },
    [REQUEST_UNREGISTER] = { "unregister", VALUE_TEXT, 0, 0 },
    [REQUEST_TRAP] = { "trap", VALUE_FLAG, 0, 0 },
    [REQUEST_NODES] = { "nodes", VALUE_FLAG, 0, 0 },
    [REQUEST_PRINT] = { "print", VALUE_TEXT, 0, 0 },
    [REQUEST_EXIT] = { "exit", VALUE_TEXT, 0, 0 },
};

#define REQUEST_VERBS (sizeof(request_verbs) / sizeof(*request_verbs))

static int request_bad(struct rusm_why *why, const char *key, const char *what)
{
    return err_why(why, RUSM_EMALFORMED, "\"%.64s\" %s", key, what);
}

/* Returns the text of a JSON string, or NULL if it is none or has a NUL in it. */
static const char *request_text(const json_t *value)
{
    const char *text = json_string_value(value);

    return text && strlen(text) == json_string_length(value) ? text : NULL;
}

static bool request_ref_ok(const json_t *value)
{
    return json_is_integer(value) ||
           (json_is_string(value) && json_string_length(value) <= REQUEST_REF_MAX);
}

/* ---- fields ---- */

/* Sets data to the bytes of a string, or to the JSON text of any other value: what request_load has
 * found, or for a key with escapes what jansson makes of the value. */
static int request_data(struct request *r, json_t *value)
{
    if (r->len > 0) {
        return 0;
    }
    if (json_is_string(value)) {
        r->data = json_string_value(value);
        r->len = json_string_length(value);
        return 0;
    }
    r->owned = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    if (!r->owned) {
        return RUSM_ENOMEM;
    }
    r->data = r->owned;
    r->len = strlen(r->owned);
    return 0;
}

static int request_base64(struct request *r, json_t *value, struct rusm_why *why)
{
    const char *text = json_string_value(value);
    size_t len = json_string_length(value);

    if (!text) {
        return request_bad(why, "base64", "must be a string");
    }
    r->owned = malloc(len / 4 * 3 + 1);
    if (!r->owned) {
        return RUSM_ENOMEM;
    }
    ssize_t n = base64_decode(r->owned, text, len);
    if (n < 0) {
        return request_bad(why, "base64", "is not base64");
    }
    r->data = r->owned;
    r->len = (size_t)n;
    return 0;
}

static int request_timeout(struct request *r, const json_t *value, struct rusm_why *why)
{
    double seconds = json_number_value(value);

    if (!json_is_number(value) || !(seconds >= 0) || seconds > 86400.0 * 24) {
        return request_bad(why, "timeout", "must be seconds, up to 24 days");
    }
    r->timeout_ms = (uint32_t)ceil(seconds * 1000);
    return 0;
}

static int request_args(struct request *r, const json_t *value, struct rusm_why *why)
{
    const json_t *one;
    size_t i;

    if (!json_is_array(value) || json_array_size(value) > RUSM_ARGS_MAX) {
        return request_bad(why, "args", "must be an array of up to 64 strings");
    }
    json_array_foreach(value, i, one)
    {
        if (!request_text(one)) {
            return request_bad(why, "args", "must be strings without NUL");
        }
    }
    r->args = value;
    return 0;
}

/* Reads one field and sets its bit in *got. */
static int request_field(struct request *r, const char *key, json_t *value, unsigned *got,
                         struct rusm_why *why)
{
    if (strcmp(key, "data") == 0 || strcmp(key, "base64") == 0) {
        if (*got & FIELD_DATA) {
            return request_bad(why, key, "is one too many: data or base64");
        }
        *got |= FIELD_DATA;
        return *key == 'd' ? request_data(r, value) : request_base64(r, value, why);
    }
    if (strcmp(key, "reason") == 0) {
        *got |= FIELD_REASON;
        r->reason = request_text(value);
        return r->reason ? 0 : request_bad(why, key, "must be a string without NUL");
    }
    if (strcmp(key, "ref") == 0) {
        *got |= FIELD_REF;
        r->ref = value;
        return request_ref_ok(value) ? 0 : request_bad(why, key, "must be an integer or a string");
    }
    if (strcmp(key, "timeout") == 0) {
        *got |= FIELD_TIMEOUT;
        return request_timeout(r, value, why);
    }
    if (strcmp(key, "args") == 0) {
        *got |= FIELD_ARGS;
        return request_args(r, value, why);
    }
    if (strcmp(key, "node") == 0) {
        *got |= FIELD_NODE;
        r->node = request_text(value);
        return r->node ? 0 : request_bad(why, key, "must be a string without NUL");
    }
    bool *flag = strcmp(key, "global") == 0      ? &r->global
                 : strcmp(key, "unordered") == 0 ? &r->unordered
                                                 : NULL;
    if (!flag) {
        return request_bad(why, key, "is neither a request nor a field of one");
    }
    *got |= flag == &r->global ? FIELD_GLOBAL : FIELD_UNORDERED;
    *flag = json_is_true(value);
    return json_is_boolean(value) ? 0 : request_bad(why, key, "must be true or false");
}

/* ---- verbs ---- */

static int request_subject(struct request *r, const char *key, json_t *value, struct rusm_why *why)
{
    switch (request_verbs[r->verb].value) {
    case VALUE_TEXT:
        r->subject = request_text(value);
        return r->subject ? 0 : request_bad(why, key, "must be a string without NUL");
    case VALUE_NUMBER:
        r->number = (uint64_t)json_integer_value(value);
        return json_is_integer(value) && json_integer_value(value) > 0
                   ? 0
                   : request_bad(why, key, "must be the ref of a call");
    case VALUE_FLAG:
        r->on = json_is_true(value);
        return json_is_boolean(value) ? 0 : request_bad(why, key, "must be true or false");
    default:
        r->ref = value;
        return request_ref_ok(value) ? 0 : request_bad(why, key, "must be the ref of a monitor");
    }
}

/* Returns the verb among the keys and gives its value. Returns REQUEST_VERBS if there is none. */
static size_t request_verb(const json_t *root, json_t **value)
{
    for (size_t i = 0; i < REQUEST_VERBS; i++) {
        *value = json_object_get(root, request_verbs[i].word);
        if (*value) {
            return i;
        }
    }
    return REQUEST_VERBS;
}

static int request_read(struct request *r, struct rusm_why *why)
{
    const char *key;
    json_t *value;
    unsigned got = 0;
    size_t verb = request_verb(r->root, &value);

    if (verb == REQUEST_VERBS) {
        return err_why(why, RUSM_EMALFORMED,
                       "a request must be an object with \"to\", \"reply\", ...");
    }
    r->verb = (enum request_verb)verb;
    int error = request_subject(r, request_verbs[verb].word, value, why);
    json_object_foreach(r->root, key, value)
    {
        if (error == 0 && strcmp(key, request_verbs[verb].word) != 0) {
            error = request_field(r, key, value, &got, why);
        }
    }
    if (error) {
        return error;
    }
    if (got & ~(request_verbs[verb].takes | (verb == REQUEST_DEMONITOR ? 0u : FIELD_REF))) {
        return request_bad(why, request_verbs[verb].word, "takes no such fields as it has");
    }
    if (request_verbs[verb].needs & ~got) {
        return request_bad(why, request_verbs[verb].word,
                           request_verbs[verb].needs & FIELD_REF ? "needs a ref"
                                                                 : "needs a reason");
    }
    return 0;
}

/* Reads the line as JSON. A message that is not a string stays as its program wrote it: jansson
 * would write its numbers differently, and does not take all of them. So it gets a 0 there.
 * `broken` is for the message of an error. Returns 0, RUSM_EMALFORMED or RUSM_ENOMEM. */
static int request_load(struct request *r, const char *line, size_t len,
                        const struct scan_value *data, bool broken, struct rusm_why *why)
{
    json_error_t wrong;
    char *copy = NULL;

    if (data->text && *data->text != '"') {
        copy = malloc(len);
        if (!copy) {
            return RUSM_ENOMEM;
        }
        memcpy(copy, line, len);
        memset(copy + (data->text - line), ' ', data->len);
        copy[data->text - line] = '0';
        r->data = data->text;
        r->len = data->len;
    }
    r->root = json_loadb(copy ? copy : line, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &wrong);
    free(copy);
    if (r->root) {
        return 0;
    }
    return json_error_code(&wrong) == json_error_out_of_memory
               ? RUSM_ENOMEM
               : err_why(why, RUSM_EMALFORMED, "not JSON%s: %s", broken ? "" : " for a request",
                         wrong.text);
}

/* Returns the number that a value is, or 0. */
static uint64_t request_number(const struct scan_value *value)
{
    uint64_t number = 0;

    for (size_t i = 0; i < value->len; i++) {
        if (value->text[i] < '0' || value->text[i] > '9' || number > UINT64_MAX / 10 - 9) {
            return 0;
        }
        number = number * 10 + (uint64_t)(value->text[i] - '0');
    }
    return number;
}

int request_parse(const void *line, size_t len, struct request *out, struct rusm_why *why)
{
    static const char *const keys[] = { "data", "reply", "refuse", NULL };
    struct scan_value value[3];
    bool broken;
    int error;

    *out = (struct request){ .data = "", .timeout_ms = REQUEST_TIMEOUT_MS };
    broken = scan_object(line, len, keys, value) != 0;
    if (broken) {
        memset(value, 0, sizeof(value));
    }
    error = request_load(out, line, len, &value[0], broken, why);
    if (!error) {
        error = json_is_object(out->root) ? request_read(out, why)
                                          : err_why(why, RUSM_EMALFORMED, "not a JSON object");
    }
    if (error) {
        request_free(out);
        out->broken = broken;
        out->number = request_number(&value[value[1].text ? 1 : 2]);
    }
    return error;
}

void request_free(struct request *r)
{
    json_decref(r->root);
    free(r->owned);
    *r = (struct request){ .data = "" };
}
