/* port/request, port/base64: the lines of exec+json. */
#include "port/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "port/base64.h"
#include "port/scan.h"

/* RFC 4648, section 10. */
static const char *const vectors[][2] = { { "", "" },
                                          { "f", "Zg==" },
                                          { "fo", "Zm8=" },
                                          { "foo", "Zm9v" },
                                          { "foob", "Zm9vYg==" },
                                          { "fooba", "Zm9vYmE=" },
                                          { "foobar", "Zm9vYmFy" } };

static void test_base64(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
        char text[16];
        uint8_t data[16];
        size_t len = strlen(vectors[i][0]), text_len = strlen(vectors[i][1]);
        assert_int_equal(base64_len(len), text_len);
        base64_encode(text, (const uint8_t *)vectors[i][0], len);
        assert_memory_equal(text, vectors[i][1], text_len);
        assert_int_equal(base64_decode(data, vectors[i][1], text_len), len);
        assert_memory_equal(data, vectors[i][0], len);
    }
}

static void test_base64_all_bytes(void **state)
{
    uint8_t data[256], back[256];
    char text[400];
    (void)state;
    for (size_t i = 0; i < sizeof(data); i++) {
        data[i] = (uint8_t)(i * 167);
    }
    for (size_t len = 0; len <= sizeof(data); len++) {
        base64_encode(text, data, len);
        assert_int_equal(base64_decode(back, text, base64_len(len)), len);
        assert_memory_equal(back, data, len);
    }
}

static void test_base64_bad(void **state)
{
    static const char *const bad[] = { "Z",    "Zg",   "Zg=",   "Z===", "====", "Zg==Zg==", "Zh==",
                                       "Zm9=", "Zm v", "Zm9\n", "Zm9-", "=Zm9", "Zm=v" };
    uint8_t data[16];
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_int_equal(base64_decode(data, bad[i], strlen(bad[i])), RUSM_EMALFORMED);
    }
}

static struct request parse(const char *line)
{
    struct request r;
    struct rusm_why why = { "" };
    if (request_parse(line, strlen(line), &r, &why) != 0) {
        fail_msg("%s: %s", line, why.text);
    }
    return r;
}

static void test_good(void **state)
{
    struct request r = parse("{\"to\":\"q@there\",\"data\":\"a\\u0000b\",\"unordered\":true}");
    (void)state;
    assert_int_equal(r.verb, REQUEST_SEND);
    assert_string_equal(r.subject, "q@there");
    assert_int_equal(r.len, 3);
    assert_memory_equal(r.data, "a\0b", 3);
    assert_true(r.unordered);
    assert_null(r.ref);
    request_free(&r);

    r = parse(" { \"ref\" : \"x\", \"timeout\": 0.0011, \"call\" : \"q\" } ");
    assert_int_equal(r.verb, REQUEST_CALL);
    assert_int_equal(r.len, 0);
    assert_non_null(r.data);
    assert_int_equal(r.timeout_ms, 2); /* rounded up, never down */
    assert_string_equal(json_string_value(r.ref), "x");
    request_free(&r);

    r = parse("{\"call\":\"q\",\"ref\":-7,\"base64\":\"/wA=\"}");
    assert_int_equal(r.timeout_ms, 5000);
    assert_int_equal(json_integer_value(r.ref), -7);
    assert_int_equal(r.len, 2);
    assert_memory_equal(r.data, "\xff\0", 2);
    request_free(&r);

    r = parse("{\"reply\":9007199254740993,\"data\":{\"a\":[1,null,\"x\"]}}");
    assert_int_equal(r.verb, REQUEST_REPLY);
    assert_true(r.number == UINT64_C(9007199254740993));
    assert_int_equal(r.len, strlen("{\"a\":[1,null,\"x\"]}"));
    assert_memory_equal(r.data, "{\"a\":[1,null,\"x\"]}", r.len);
    request_free(&r);

    r = parse("{\"spawn\":\"s\",\"args\":[\"a b\",\"\"],\"node\":\"n\",\"ref\":1}");
    assert_int_equal(r.verb, REQUEST_SPAWN);
    assert_int_equal(json_array_size(r.args), 2);
    assert_string_equal(r.node, "n");
    request_free(&r);

    r = parse("{\"demonitor\":\"m\"}");
    assert_int_equal(r.verb, REQUEST_DEMONITOR);
    assert_string_equal(json_string_value(r.ref), "m");
    request_free(&r);

    r = parse("{\"trap\":false}");
    assert_int_equal(r.verb, REQUEST_TRAP);
    assert_false(r.on);
    request_free(&r);

    r = parse("{\"register\":\"n\",\"global\":true}");
    assert_true(r.global);
    request_free(&r);
}

/* Data that is no string is the text that the program wrote, byte for byte. */
static void test_data_as_written(void **state)
{
    static const char *const data[] = {
        "12345678901234567890123456789",
        "0.1",
        "1E400",
        "-0",
        "1.10",
        "true",
        "null",
        "[ 1 , 2 ]",
        "{\"b\":1,\"a\":\"\\ud800\",\"a\":2}",
        "{ \"x\" : [ { } , [ ] , \"\\u00e4\\/\" , \"\303\244\" ] }",
        "[\"\\u0000\",\"]}\",-1.5e+07]",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(data) / sizeof(*data); i++) {
        char line[200];
        snprintf(line, sizeof(line), "{\"reply\":1, \"data\" : %s , \"ref\":2}", data[i]);
        struct request r = parse(line);
        assert_int_equal(r.len, strlen(data[i]));
        assert_memory_equal(r.data, data[i], r.len);
        assert_int_equal(r.number, 1);
        request_free(&r);
    }
    struct request r = parse("{\"d\\u0061ta\":[1, 2],\"to\":\"x\"}");
    assert_int_equal(r.len, 5);
    assert_memory_equal(r.data, "[1,2]", 5);
    request_free(&r);
}

/* What a line that is no request says of the program. */
static void test_broken(void **state)
{
    static const struct {
        const char *line;
        bool broken;
        uint64_t number;
    } lines[] = {
        { "junk", true, 0 },
        { "", true, 0 },
        { "{\"reply\":1,\"data\":", true, 0 },
        { "{\"reply\":1,\"data\":\"x}", true, 0 },
        { "{\"reply\":1}}", true, 0 },
        { "{\"reply\":1,}", true, 0 },
        { "{\"reply\" 1}", true, 0 },
        { "{\"reply\":01}", true, 0 },
        { "{\"reply\":1,\"data\":[1,]}", true, 0 },
        { "{\"reply\":1,\"data\":[1}}", true, 0 },
        { "{\"reply\":1,\"data\":{\"a\"}}", true, 0 },
        { "{\"reply\":1,\"data\":{,}}", true, 0 },
        { "{\"reply\":1,\"data\":[1 2]}", true, 0 },
        { "{\"reply\":1,\"data\":[\"\xff\"]}", true, 0 },
        { "{\"reply\":1,\"data\":[\"\t\"]}", true, 0 },
        { "{\"reply\":1,\"data\":[\"\\x\"]}", true, 0 },
        { "{\"reply\":1,\"data\":[\"\\u00g0\"]}", true, 0 },
        { "{\"reply\":1,\"data\":[1.]}", true, 0 },
        { "{\"reply\":1,\"data\":[-]}", true, 0 },
        { "{\"reply\":1,\"data\":[1e]}", true, 0 },
        { "{\"reply\":1,\"data\":nul}", true, 0 },
        { "[]", false, 0 },
        { "{\"reply\":17,\"data\":\"\\ud800\"}", false, 17 },
        { "{\"dta\":1,\"reply\":17}", false, 17 },
        { "{\"refuse\":18}", false, 18 },
        { "{\"reply\":\"17\"}", false, 0 },
        { "{\"reply\":-1}", false, 0 },
        { "{\"reply\":99999999999999999999}", false, 0 },
        { "{\"to\":1}", false, 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        struct request r;
        if (request_parse(lines[i].line, strlen(lines[i].line), &r, NULL) != RUSM_EMALFORMED ||
            r.broken != lines[i].broken || r.number != lines[i].number) {
            fail_msg("%s: %d %d", lines[i].line, r.broken, (int)r.number);
        }
    }
}

/* A request whose data has so many arrays in each other. */
static int parse_deep(size_t depth, struct request *r)
{
    static char line[2 * 3000 + 100];
    size_t at = (size_t)sprintf(line, "{\"to\":\"x\",\"data\":");
    memset(line + at, '[', depth);
    memset(line + at + depth, ']', depth);
    line[at + 2 * depth] = '}';
    return request_parse(line, at + 2 * depth + 1, r, NULL);
}

static void test_deep(void **state)
{
    struct request r;
    (void)state;
    assert_int_equal(parse_deep(SCAN_DEPTH, &r), 0);
    assert_int_equal(r.len, 2 * SCAN_DEPTH);
    request_free(&r);
    assert_int_equal(parse_deep(SCAN_DEPTH + 1, &r), RUSM_EMALFORMED);
}

static const char *const bad[][2] = {
    { "", "not JSON" },
    { "junk", "not JSON" },
    { "{\"to\":\"x\"} {}", "not JSON" },
    { "{\"to\":\"x\",\"to\":\"y\"}", "not JSON" },
    { "{\"to\":\"\xff\"}", "not JSON" },
    { "[]", "not a JSON object" },
    { "{}", "a request must be" },
    { "{\"data\":\"x\"}", "a request must be" },
    { "{\"to\":\"x\",\"call\":\"y\",\"ref\":1}", "\"call\" is neither" },
    { "{\"to\":\"x\",\"dta\":\"y\"}", "\"dta\" is neither" },
    { "{\"to\":1}", "\"to\" must be a string" },
    { "{\"to\":\"x\\u0000y\"}", "\"to\" must be a string" },
    { "{\"to\":\"x\",\"data\":\"\",\"base64\":\"\"}", "is one too many" },
    { "{\"to\":\"x\",\"base64\":\"x\"}", "is not base64" },
    { "{\"to\":\"x\",\"base64\":1}", "\"base64\" must be" },
    { "{\"to\":\"x\",\"unordered\":1}", "\"unordered\" must be" },
    { "{\"to\":\"x\",\"reason\":\"y\"}", "takes no such fields" },
    { "{\"reply\":\"1\"}", "\"reply\" must be" },
    { "{\"reply\":0}", "\"reply\" must be" },
    { "{\"reply\":-1}", "\"reply\" must be" },
    { "{\"reply\":1.5}", "\"reply\" must be" },
    { "{\"refuse\":1}", "needs a reason" },
    { "{\"call\":\"x\"}", "needs a ref" },
    { "{\"call\":\"x\",\"ref\":null}", "\"ref\" must be" },
    { "{\"call\":\"x\",\"ref\":1.5}", "\"ref\" must be" },
    { "{\"call\":\"x\",\"ref\":1,\"timeout\":-1}", "\"timeout\" must be" },
    { "{\"call\":\"x\",\"ref\":1,\"timeout\":1e9}", "\"timeout\" must be" },
    { "{\"call\":\"x\",\"ref\":1,\"timeout\":\"1\"}", "\"timeout\" must be" },
    { "{\"spawn\":\"x\",\"ref\":1,\"args\":\"y\"}", "\"args\" must be" },
    { "{\"spawn\":\"x\",\"ref\":1,\"args\":[1]}", "\"args\" must be" },
    { "{\"spawn\":\"x\",\"ref\":1,\"args\":[\"a\\u0000\"]}", "\"args\" must be" },
    { "{\"spawn\":\"x\",\"ref\":1,\"node\":1}", "\"node\" must be" },
    { "{\"monitor\":\"x\"}", "needs a ref" },
    { "{\"demonitor\":[]}", "\"demonitor\" must be" },
    { "{\"demonitor\":1,\"ref\":2}", "takes no such fields" },
    { "{\"trap\":1}", "\"trap\" must be" },
    { "{\"kill\":\"x\"}", "needs a reason" },
    { "{\"exit\":\"x\",\"data\":\"y\"}", "takes no such fields" },
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct request r;
        struct rusm_why why = { "" };
        assert_int_equal(request_parse(bad[i][0], strlen(bad[i][0]), &r, &why), RUSM_EMALFORMED);
        if (!strstr(why.text, bad[i][1])) {
            fail_msg("%s: '%s', without '%s'", bad[i][0], why.text, bad[i][1]);
        }
    }
}

static void test_limits(void **state)
{
    char line[2048] = "{\"spawn\":\"x\",\"ref\":\"";
    struct request r;
    size_t at = strlen(line);
    (void)state;
    memset(line + at, 'r', REQUEST_REF_MAX);
    strcpy(line + at + REQUEST_REF_MAX, "\"}");
    r = parse(line);
    request_free(&r);
    strcpy(line + at + REQUEST_REF_MAX, "r\"}");
    assert_int_equal(request_parse(line, strlen(line), &r, NULL), RUSM_EMALFORMED);

    strcpy(line, "{\"spawn\":\"x\",\"ref\":1,\"args\":[\"\"");
    for (int i = 1; i < RUSM_ARGS_MAX; i++) {
        strcat(line, ",\"\"");
    }
    at = strlen(line);
    strcpy(line + at, "]}");
    r = parse(line);
    request_free(&r);
    strcpy(line + at, ",\"\"]}");
    assert_int_equal(request_parse(line, strlen(line), &r, NULL), RUSM_EMALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_base64_all_bytes),
        cmocka_unit_test(test_base64_bad),
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_data_as_written),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_deep),
    };
    return cmocka_run_group_tests_name("port/request", tests, NULL, NULL);
}
