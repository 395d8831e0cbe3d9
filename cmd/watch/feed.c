/* feed: see the header. */
#include "feed.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define FEED_FIRST_NS 500000000 /* the second reading comes early: there are no rates before */
#define FEED_LEAST_NS 200000000 /* between two readings: rates of less are noise */
#define FEED_AGAIN_NS 500000000 /* until a lost connection is opened again; then twice that, … */
#define FEED_AGAIN_MOST_NS 8000000000
#define FEED_LEAVE_NS 200000000 /* how long feed_stop waits for the thread */

struct feed {
    struct feed_options options; /* `client` NULL: the connection is lost */
    pthread_t thread;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t changed;
    int news; /* an eventfd */
    bool stop;
    struct reading_want want;
    struct reading *last; /* not taken yet; or NULL */
    uint64_t due_ns;      /* when to read again */
    uint64_t read_ns;     /* when the last reading began */
    uint64_t again_ns;    /* the last wait for a lost connection */
    bool second;          /* there was a reading on this connection */
};

/* ---- the thread ---- */

/* Sleeps until a reading is due. Gives what to read. Returns false at the end. */
static bool feed_wait(struct feed *feed, struct reading_want *want)
{
    bool stop;

    pthread_mutex_lock(&feed->lock);
    while (!feed->stop && reading_now_ns() < feed->due_ns) {
        struct timespec until = { .tv_sec = (time_t)(feed->due_ns / 1000000000),
                                  .tv_nsec = (long)(feed->due_ns % 1000000000) };
        pthread_cond_timedwait(&feed->changed, &feed->lock, &until);
    }
    stop = feed->stop;
    *want = feed->want;
    feed->read_ns = reading_now_ns();
    feed->due_ns = UINT64_MAX; /* a change of `want` from now on brings it nearer */
    pthread_mutex_unlock(&feed->lock);
    return !stop;
}

/* Hands a reading over and says when the next one is due. */
static void feed_give(struct feed *feed, struct reading *reading, uint64_t due_ns)
{
    struct reading *missed;
    const uint64_t one = 1;

    pthread_mutex_lock(&feed->lock);
    missed = feed->last;
    feed->last = reading;
    feed->due_ns = due_ns < feed->due_ns ? due_ns : feed->due_ns;
    pthread_mutex_unlock(&feed->lock);
    (void)!write(feed->news, &one, sizeof(one));
    if (missed) {
        reading_fini(missed);
        free(missed);
    }
}

/* The node does not answer: ends the connection, and says when it is opened again. */
static uint64_t feed_lost(struct feed *feed, struct reading *reading)
{
    rusm_client_close(feed->options.client);
    feed->options.client = NULL;
    feed->second = false;
    feed->again_ns = feed->again_ns == 0 ? FEED_AGAIN_NS : 2 * feed->again_ns;
    if (feed->again_ns > FEED_AGAIN_MOST_NS) {
        feed->again_ns = FEED_AGAIN_MOST_NS;
    }
    reading->again_ns = reading_now_ns() + feed->again_ns;
    return reading->again_ns;
}

static uint64_t feed_next(struct feed *feed)
{
    uint64_t interval_ns = feed->options.interval_ms * 1000000;
    bool early = !feed->second && FEED_FIRST_NS < interval_ns;

    feed->second = true;
    feed->again_ns = 0;
    return feed->read_ns + (early ? FEED_FIRST_NS : interval_ns);
}

static void feed_read(struct feed *feed, struct reading *reading, const struct reading_want *want)
{
    struct feed_options *options = &feed->options;

    if (!options->client) {
        reading->error =
            rusm_client_open(&options->client, &options->how, options->node, &reading->why);
    }
    if (reading->error == 0) {
        reading_read(reading, options->client, want);
    }
}

static void *feed_run(void *context)
{
    struct feed *feed = context;
    struct reading_want want;

    while (feed_wait(feed, &want)) {
        struct reading *reading = malloc(sizeof(*reading));
        if (!reading) {
            continue; /* a reading is due at the next change; the screen says that none came */
        }
        reading_init(reading);
        feed_read(feed, reading, &want);
        feed_give(feed, reading, reading->error ? feed_lost(feed, reading) : feed_next(feed));
    }
    return NULL;
}

/* ---- for the screen ---- */

static void feed_free(struct feed *feed)
{
    struct reading *last = feed_take(feed);

    if (last) {
        reading_fini(last);
        free(last);
    }
    rusm_client_close(feed->options.client);
    pthread_cond_destroy(&feed->changed);
    pthread_mutex_destroy(&feed->lock);
    close(feed->news);
    free(feed);
}

struct feed *feed_start(const struct feed_options *options, const struct reading_want *want)
{
    struct feed *feed = calloc(1, sizeof(*feed));
    pthread_condattr_t clock;

    if (!feed) {
        rusm_client_close(options->client);
        return NULL;
    }
    feed->options = *options;
    feed->want = *want;
    feed->news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&feed->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&feed->changed, &clock);
    pthread_condattr_destroy(&clock);
    if (feed->news < 0 || pthread_create(&feed->thread, NULL, feed_run, feed) != 0) {
        feed_free(feed);
        return NULL;
    }
    return feed;
}

void feed_stop(struct feed *feed)
{
    struct timespec until;

    pthread_mutex_lock(&feed->lock);
    feed->stop = true;
    pthread_cond_signal(&feed->changed);
    pthread_mutex_unlock(&feed->lock);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += FEED_LEAVE_NS;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    if (pthread_timedjoin_np(feed->thread, NULL, &until) == 0) {
        feed_free(feed);
    } else {
        pthread_detach(feed->thread);
    }
}

int feed_fd(const struct feed *feed)
{
    return feed->news;
}

struct reading *feed_take(struct feed *feed)
{
    struct reading *last;
    uint64_t count;

    (void)!read(feed->news, &count, sizeof(count));
    pthread_mutex_lock(&feed->lock);
    last = feed->last;
    feed->last = NULL;
    pthread_mutex_unlock(&feed->lock);
    return last;
}

void feed_want(struct feed *feed, const struct reading_want *want)
{
    pthread_mutex_lock(&feed->lock);
    if (memcmp(&feed->want, want, sizeof(*want)) != 0) {
        uint64_t soon_ns = feed->read_ns + FEED_LEAST_NS;
        feed->want = *want;
        feed->due_ns = soon_ns < feed->due_ns ? soon_ns : feed->due_ns;
        pthread_cond_signal(&feed->changed);
    }
    pthread_mutex_unlock(&feed->lock);
}
