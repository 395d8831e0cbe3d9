/* http3: a program that is an HTTP/3 client, for the tests of this folder: doubles/http3.h from a
 * shell.
 *
 *     http3 [--identity FILE] [--anonymous] [--token TOKEN] [--method M] [--file FILE]
 *           [--accept TYPES] [--repeat N] [--at-once N] ADDR:PORT PATH
 *
 * The server must have the identity's certificate ($RUSM_IDENTITY). With --anonymous, the client
 * does not show its own. The file is the body. Prints the status on a line, then the response's
 * body. With --repeat, prints for each status a line "STATUS: HOW MANY" instead. Fails with a line
 * on standard error if there is no response. */
#include "doubles/http3.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <getopt.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECONDS 30
#define AT_ONCE_MOST 1000

struct asked {
    struct http3_request like; /* each request is a copy of this one */
    unsigned repeat, at_once;
    unsigned count[600]; /* responses by status */
};

static int fail(const char *text)
{
    fprintf(stderr, "http3: %s\n", text);
    return 1;
}

static bool read_address(const char *text, struct sockaddr_in *to)
{
    char host[64];
    unsigned port;

    *to = (struct sockaddr_in){ .sin_family = AF_INET };
    if (sscanf(text, "%63[0-9.]:%u", host, &port) != 2 || port > 65535) {
        return false;
    }
    to->sin_port = htons((uint16_t)port);
    return inet_pton(AF_INET, host, &to->sin_addr) == 1;
}

/* Reads a whole file. Returns NULL if it cannot be read. */
static void *read_file(const char *path, size_t *len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    char *data = NULL;

    if (fd >= 0 && fstat(fd, &st) == 0) {
        data = malloc((size_t)st.st_size + 1);
        *len = data ? (size_t)read(fd, data, (size_t)st.st_size) : 0;
    }
    close(fd);
    return data;
}

/* Makes `repeat` requests, `at_once` at a time, until all are answered. Returns false if the time
 * is up or the connection ends. */
static bool ask_all(struct http3 *h, struct asked *a, struct http3_request *r)
{
    uint64_t until_ns = endpoint_now_ns() + (uint64_t)SECONDS * 1000000000;
    unsigned begun = 0, done = 0;

    while (done < a->repeat && h->conn && endpoint_now_ns() < until_ns) {
        for (unsigned i = 0; i < a->at_once && h->ready; i++) {
            if (r[i].submitted && r[i].done) {
                a->count[r[i].status < 600 ? r[i].status : 0]++;
                done++;
                if (done < a->repeat) {
                    http3_forget(&r[i]);
                    r[i] = a->like;
                }
            }
            if (!r[i].submitted && begun < a->repeat && http3_submit(h, &r[i]) == 0) {
                begun++;
            }
        }
        http3_tick(h, 5);
    }
    return done == a->repeat;
}

static int run(struct http3 *h, struct asked *a)
{
    struct http3_request *r = calloc(a->at_once, sizeof(*r));
    int status = 0;

    if (!r) {
        return fail("no memory");
    }
    for (unsigned i = 0; i < a->at_once; i++) {
        r[i] = a->like;
    }
    if (!ask_all(h, a, r)) {
        status = fail(h->conn ? "no answer in time" : h->end.text);
    } else if (a->repeat == 1) {
        printf("%d\n", r[0].status);
        fwrite(buf_data(&r[0].answer), 1, buf_len(&r[0].answer), stdout);
    } else {
        for (unsigned i = 0; i < 600; i++) {
            if (a->count[i] > 0) {
                printf("%u: %u\n", i, a->count[i]);
            }
        }
    }
    for (unsigned i = 0; i < a->at_once; i++) {
        http3_forget(&r[i]);
    }
    free(r);
    return status;
}

int main(int argc, char **argv)
{
    static const struct option table[] = {
        { "identity", 1, NULL, 'i' }, { "anonymous", 0, NULL, 'a' }, { "token", 1, NULL, 't' },
        { "method", 1, NULL, 'm' },   { "file", 1, NULL, 'f' },      { "repeat", 1, NULL, 'r' },
        { "at-once", 1, NULL, 'o' },  { "accept", 1, NULL, 'c' },    { NULL, 0, NULL, 0 },
    };
    struct asked a = { .like = { .method = "GET", .hold = SIZE_MAX }, .repeat = 1, .at_once = 1 };
    const char *path = getenv("RUSM_IDENTITY");
    struct identity *identity;
    struct rusm_why why;
    struct sockaddr_in to;
    struct http3 h = { .conn = NULL };
    bool anonymous = false;
    void *body = NULL;

    for (int o; (o = getopt_long(argc, argv, "", table, NULL)) != -1;) {
        switch (o) {
        case 'i': path = optarg; break;
        case 'a': anonymous = true; break;
        case 't': a.like.token = optarg; break;
        case 'm': a.like.method = optarg; break;
        case 'c': a.like.accept = optarg; break;
        case 'f':
            free(body);
            body = read_file(optarg, &a.like.len);
            if (!body) {
                return fail("the file can't be read");
            }
            a.like.body = body;
            break;
        case 'r': a.repeat = (unsigned)atoi(optarg); break;
        case 'o': a.at_once = (unsigned)atoi(optarg); break;
        default: return 2;
        }
    }
    if (argc - optind != 2 || !path || a.at_once > AT_ONCE_MOST ||
        !read_address(argv[optind], &to)) {
        return fail("the use is in the source's first lines");
    }
    a.like.path = argv[optind + 1];
    if (identity_load(path, &identity, &why) != 0) {
        return fail(why.text);
    }
    int status = 1;
    if (http3_open(&h, (struct sockaddr *)&to, sizeof(to), identity, anonymous) != 0) {
        fail("no socket");
    } else {
        status = run(&h, &a);
        http3_close(&h);
    }
    identity_free(identity);
    free(body);
    return status;
}
