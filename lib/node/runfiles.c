/* runfiles: see the header. */
#include "node/runfiles.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "node/helper.h"
#include "node/limits.h"
#include "node/member_lock.h"
#include "node/node.h"

struct runfiles {
    struct rundir rundir; /* the thread's, once it runs, but for its path */
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;  /* of what follows */
    pthread_cond_t change; /* there is a job, or the thread is to end or has ended */
    struct list jobs;      /* struct runfiles_job */
    unsigned count;        /* of jobs */
    bool over;             /* nobody takes answers any more */
    bool ending, ended;    /* the thread is to close the folder; it has */
    bool abandoned;        /* the thread is to free this */
    unsigned schedulers;   /* which never changes */
    struct runfiles_answers {
        struct list list; /* struct runfiles_job */
        atomic_bool any;
    } answers[]; /* of each scheduler */
};

struct runfiles *runfiles_new(unsigned schedulers)
{
    struct runfiles *f = calloc(1, sizeof(*f) + schedulers * sizeof(*f->answers));
    pthread_condattr_t attributes;
    if (!f) {
        return NULL;
    }
    f->rundir = RUNDIR_NONE;
    f->schedulers = schedulers;
    pthread_mutex_init(&f->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&f->change, &attributes);
    pthread_condattr_destroy(&attributes);
    list_init(&f->jobs);
    for (unsigned i = 0; i < schedulers; i++) {
        list_init(&f->answers[i].list);
    }
    return f;
}

struct rundir *runfiles_rundir(struct runfiles *f)
{
    return &f->rundir;
}

const char *runfiles_path(const struct runfiles *f)
{
    return f->rundir.path;
}

static void job_free(struct runfiles_job *job)
{
    free(job->list);
    free(job);
}

static void jobs_free(struct list *jobs)
{
    list_each_safe(link, jobs) {
        list_remove(link);
        job_free(container_of(link, struct runfiles_job, link));
    }
}

static void runfiles_fini(struct runfiles *f)
{
    pthread_cond_destroy(&f->change);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

/* ---- the thread ---- */

/* Hands an answer over. Under the lock. */
static void answer(struct runfiles *f, struct runfiles_job *job)
{
    if (f->over) {
        job_free(job);
        return;
    }
    struct runfiles_answers *a = &f->answers[job->scheduler->index];
    list_append(&a->list, &job->link);
    atomic_store(&a->any, true);
    loop_wake(&job->scheduler->loop);
}

static void *runfiles_main(void *context)
{
    struct runfiles *f = context;
    pthread_mutex_lock(&f->lock);
    while (!f->ending) {
        struct list *first = list_first(&f->jobs);
        if (!first) {
            pthread_cond_wait(&f->change, &f->lock);
            continue;
        }
        struct runfiles_job *job = container_of(first, struct runfiles_job, link);
        list_remove(first);
        f->count--;
        pthread_mutex_unlock(&f->lock);
        job->work(job, &f->rundir);
        pthread_mutex_lock(&f->lock);
        answer(f, job);
    }
    pthread_mutex_unlock(&f->lock);
    rundir_close(&f->rundir);
    pthread_mutex_lock(&f->lock);
    f->ended = true;
    bool abandoned = f->abandoned;
    pthread_cond_broadcast(&f->change);
    pthread_mutex_unlock(&f->lock);
    if (abandoned) {
        runfiles_fini(f);
    }
    return NULL;
}

int runfiles_start(struct runfiles *f)
{
    if (!f->started) {
        f->started = helper_start(&f->thread, runfiles_main, f) == 0;
    }
    return f->started ? 0 : RUSM_EIO;
}

void runfiles_end(struct runfiles *f)
{
    struct list dropped;
    if (!f) {
        return;
    }
    list_init(&dropped);
    pthread_mutex_lock(&f->lock);
    f->over = true;
    list_move_all(&dropped, &f->jobs);
    for (unsigned i = 0; i < f->schedulers; i++) {
        list_move_all(&dropped, &f->answers[i].list);
    }
    pthread_mutex_unlock(&f->lock);
    jobs_free(&dropped);
}

/* Waits until the thread has closed the folder, but not for long. */
static bool has_ended(struct runfiles *f)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += LIMIT_FOLDER_CLOSE_S;
    pthread_mutex_lock(&f->lock);
    f->ending = true;
    pthread_cond_broadcast(&f->change);
    while (!f->ended && pthread_cond_timedwait(&f->change, &f->lock, &until) == 0) {}
    bool ended = f->ended;
    f->abandoned = !ended;
    pthread_mutex_unlock(&f->lock);
    return ended;
}

bool runfiles_free(struct runfiles *f)
{
    if (!f) {
        return true;
    }
    if (!f->started) {
        rundir_close(&f->rundir);
    } else if (has_ended(f)) {
        pthread_join(f->thread, NULL);
    } else {
        return false;
    }
    runfiles_fini(f);
    return true;
}

/* ---- asking ---- */

static struct runfiles_job *job_new(struct scheduler *s, runfiles_done_fn *done)
{
    struct runfiles_job *job = calloc(1, sizeof(*job));
    if (job) {
        job->scheduler = s;
        job->done = done;
    }
    return job;
}

static int ask(struct runfiles_job *job)
{
    struct runfiles *f = job->scheduler->node->runfiles;
    pthread_mutex_lock(&f->lock);
    bool full = f->over || f->count >= LIMIT_FOLDER_JOBS;
    if (!full) {
        list_append(&f->jobs, &job->link);
        f->count++;
        pthread_cond_signal(&f->change);
    }
    pthread_mutex_unlock(&f->lock);
    if (full) {
        job_free(job);
    }
    return full ? RUSM_ELIMIT : 0;
}

static void work_keep(struct runfiles_job *job, struct rundir *rundir)
{
    job->result = rundir_keep(rundir, &job->entry, &job->why);
}

int runfiles_keep(struct scheduler *s, const struct rundir_entry *own, runfiles_done_fn *done)
{
    struct runfiles_job *job = job_new(s, done);
    if (!job) {
        return RUSM_ENOMEM;
    }
    job->work = work_keep;
    job->entry = *own;
    return ask(job);
}

int runfiles_read(const struct rundir *rundir, struct rundir_entry **list, size_t *count)
{
    int error = rundir_list(rundir, list, count);
    for (size_t i = 0; !error && i < *count; i++) {
        const struct rundir_entry *e = &(*list)[i];
        if (!e->alive && strcmp(e->name, rundir->name) != 0) {
            rundir_clean(rundir, e->name);
        }
    }
    return error;
}

static void work_scan(struct runfiles_job *job, struct rundir *rundir)
{
    job->result = runfiles_read(rundir, &job->list, &job->count);
}

int runfiles_scan(struct scheduler *s, runfiles_done_fn *done)
{
    struct runfiles_job *job = job_new(s, done);
    if (!job) {
        return RUSM_ENOMEM;
    }
    job->work = work_scan;
    return ask(job);
}

static void work_find(struct runfiles_job *job, struct rundir *rundir)
{
    char name[sizeof(job->entry.name)];
    memcpy(name, job->entry.name, sizeof(name));
    job->result = rundir_find(rundir, name, &job->entry);
}

int runfiles_find(struct scheduler *s, const char *name, uint32_t incarnation,
                  runfiles_done_fn *done, void *user)
{
    struct runfiles_job *job = job_new(s, done);
    if (!job) {
        return RUSM_ENOMEM;
    }
    job->work = work_find;
    job->user = user;
    job->incarnation = incarnation;
    memcpy(job->entry.name, name, strlen(name) + 1);
    return ask(job);
}

void runfiles_collect(struct scheduler *s)
{
    struct runfiles *f = s->node->runfiles;
    struct runfiles_answers *a = &f->answers[s->index];
    struct list answers;
    if (!atomic_load_explicit(&a->any, memory_order_relaxed)) {
        return;
    }
    list_init(&answers);
    pthread_mutex_lock(&f->lock);
    atomic_store(&a->any, false);
    list_move_all(&answers, &a->list);
    pthread_mutex_unlock(&f->lock);
    member_lock(s->node);
    list_each_safe(link, &answers) {
        struct runfiles_job *job = container_of(link, struct runfiles_job, link);
        list_remove(link);
        job->done(job);
        job_free(job);
    }
    member_unlock(s->node);
}
