/* screen: see the header. */
#include "screen.h"

#include "view.h"

#define NCURSES_NOMACROS 1
#include <curses.h>
#include <langinfo.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define SCREEN_ESCAPE_MS 25 /* after this long an Escape is no longer the begin of another key */
#define SCREEN_TICK_MS 1000 /* how often what counts seconds is drawn again */
#define SCREEN_REDRAW 0x0c  /* Ctrl-L */

struct screen {
    SCREEN *terminal;
    int signals; /* a signalfd */
    int ended;   /* the signal that ends the program; 0: none */
    bool utf8;
    attr_t look[FACES];
};

bool screen_there(void)
{
    return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
}

static void screen_signals(sigset_t *set)
{
    static const int taken[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH };

    sigemptyset(set);
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        sigaddset(set, taken[i]);
    }
}

void screen_block(void)
{
    sigset_t set;

    screen_signals(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

/* ---- begin and end ---- */

static void screen_looks(struct screen *screen)
{
    static const struct {
        attr_t plain; /* without colours */
        short color;  /* -1: the terminal's */
        attr_t more;  /* with the colour */
    } looks[FACES] = {
        [FACE_PLAIN] = { A_NORMAL, -1, A_NORMAL },
        [FACE_BOLD] = { A_BOLD, -1, A_BOLD },
        [FACE_DIM] = { A_DIM, -1, A_DIM },
        [FACE_BAR] = { A_REVERSE, COLOR_CYAN, A_REVERSE },
        [FACE_HEAD] = { A_UNDERLINE, COLOR_GREEN, A_REVERSE },
        [FACE_SORTED] = { A_REVERSE, COLOR_CYAN, A_REVERSE },
        [FACE_SELECTED] = { A_REVERSE, -1, A_REVERSE },
        [FACE_KEY] = { A_BOLD, COLOR_CYAN, A_BOLD },
        [FACE_GOOD] = { A_NORMAL, COLOR_GREEN, A_NORMAL },
        [FACE_BUSY] = { A_NORMAL, COLOR_CYAN, A_NORMAL },
        [FACE_WARN] = { A_BOLD, COLOR_YELLOW, A_NORMAL },
        [FACE_BAD] = { A_BOLD, COLOR_RED, A_BOLD },
        [FACE_ALARM] = { A_REVERSE | A_BOLD, COLOR_RED, A_REVERSE | A_BOLD },
    };
    const char *no_color = getenv("NO_COLOR");
    bool color = !(no_color && no_color[0]) && has_colors() && start_color() == OK &&
                 use_default_colors() == OK;

    for (short i = 0; i < FACES; i++) {
        screen->look[i] = color ? looks[i].more : looks[i].plain;
        if (color && looks[i].color >= 0 && init_pair((short)(i + 1), looks[i].color, -1) == OK) {
            screen->look[i] |= (attr_t)COLOR_PAIR(i + 1);
        }
    }
}

/* Gives the terminal back, also when the program ends by exit(). */
static void screen_restore(void)
{
    if (!isendwin()) {
        endwin();
    }
}

static int screen_init(struct screen *screen)
{
    sigset_t set;

    screen_signals(&set);
    *screen = (struct screen){ .utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0 };
    screen->terminal = newterm(NULL, stdout, stdin);
    if (!screen->terminal) {
        return RUSM_EINVAL;
    }
    const char *move = tigetstr("cup");
    if (!move || move == (const char *)-1) { /* such as TERM=dumb */
        endwin();
        delscreen(screen->terminal);
        return RUSM_EINVAL;
    }
    atexit(screen_restore);
    screen->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    cbreak();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    set_escdelay(SCREEN_ESCAPE_MS);
    curs_set(0);
    screen_looks(screen);
    return 0;
}

static void screen_fini(struct screen *screen)
{
    screen_restore();
    delscreen(screen->terminal);
    close(screen->signals);
}

/* ---- drawing ---- */

static int screen_draw(struct screen *screen, struct model *model)
{
    struct canvas canvas;
    int error = canvas_init(&canvas, LINES, COLS, screen->utf8);

    if (error) {
        return error;
    }
    model->now_ns = reading_now_ns();
    view_draw(model, &canvas);
    for (int i = 0; i < canvas.rows * canvas.columns; i++) {
        if (canvas.cell[i].glyph[0]) {
            attrset((int)screen->look[canvas.cell[i].face]);
            mvaddstr(i / canvas.columns, i % canvas.columns, canvas.cell[i].glyph);
        }
    }
    canvas_fini(&canvas);
    refresh();
    return 0;
}

/* Takes the size that the terminal has now. */
static void screen_resize(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0) {
        resizeterm(size.ws_row, size.ws_col);
        erase();
    }
}

/* Draws all anew: something else has used the terminal. */
static void screen_again(void)
{
    screen_restore();
    refresh();
    screen_resize();
    clearok(curscr, TRUE);
}

/* Stops the program, as Ctrl-Z does, with the terminal as it was. Returns when it goes on. */
static void screen_suspend(void)
{
    sigset_t stop;

    endwin();
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    signal(SIGTSTP, SIG_DFL); /* ncurses has set a handler */
    raise(SIGTSTP);
    pthread_sigmask(SIG_UNBLOCK, &stop, NULL);
    pthread_sigmask(SIG_BLOCK, &stop, NULL);
}

/* ---- events ---- */

static void screen_signal(struct screen *screen, struct model *model, uint32_t number)
{
    switch (number) {
    case SIGWINCH: screen_resize(); break;
    case SIGTSTP:
        screen_suspend();
        screen_again();
        break;
    case SIGCONT: screen_again(); break;
    case SIGINT: model->quit = true; break;
    default: screen->ended = (int)number; break;
    }
}

/* Returns the model's key for one of ncurses. */
static int screen_key(int key)
{
    static const struct {
        int from, to;
    } keys[] = {
        { KEY_UP, MODEL_UP },         { KEY_DOWN, MODEL_DOWN },
        { KEY_PPAGE, MODEL_PAGE_UP }, { KEY_NPAGE, MODEL_PAGE_DOWN },
        { KEY_HOME, MODEL_HOME },     { KEY_END, MODEL_END },
        { KEY_RIGHT, MODEL_NEXT },    { KEY_LEFT, MODEL_BEFORE },
        { '\t', MODEL_NEXT },         { KEY_BTAB, MODEL_BEFORE },
        { '\r', MODEL_ENTER },        { KEY_ENTER, MODEL_ENTER },
        { '\b', MODEL_BACKSPACE },    { KEY_BACKSPACE, MODEL_BACKSPACE },
    };

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (keys[i].from == key) {
            return keys[i].to;
        }
    }
    return key < KEY_MIN ? key : 0;
}

static int screen_keys(struct model *model, struct feed *feed)
{
    struct reading_want want;
    int key, error = 0;

    while (!error && (key = getch()) != ERR) {
        if (key == SCREEN_REDRAW) {
            clearok(curscr, TRUE);
        } else if (screen_key(key)) {
            error = model_key(model, screen_key(key));
        }
    }
    model_want(model, &want);
    feed_want(feed, &want);
    return error;
}

/* Takes what the node told. Counts it, unless that was why it tells nothing. */
static int screen_feed(struct model *model, struct feed *feed, uint64_t *frames)
{
    struct reading *reading = feed_take(feed);
    int error = 0;

    if (reading) {
        *frames += reading->error == 0;
        error = model_take(model, reading);
        reading_fini(reading);
        free(reading);
    }
    return error;
}

static int screen_loop(struct screen *screen, struct model *model, struct feed *feed,
                       uint64_t frames)
{
    struct pollfd at[] = { { .fd = STDIN_FILENO, .events = POLLIN },
                           { .fd = screen->signals, .events = POLLIN },
                           { .fd = feed_fd(feed), .events = POLLIN } };
    struct signalfd_siginfo info;
    uint64_t shown = 0;
    int error = 0;

    while (!error && !model->quit && !screen->ended && (frames == 0 || shown < frames)) {
        error = screen_draw(screen, model);
        poll(at, sizeof(at) / sizeof(at[0]), SCREEN_TICK_MS);
        while (read(screen->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
            screen_signal(screen, model, info.ssi_signo);
        }
        if (at[0].revents & (POLLHUP | POLLERR | POLLNVAL)) {
            screen->ended = SIGHUP; /* the terminal is gone */
        } else if (!error) {
            error = screen_keys(model, feed);
        }
        if (!error && at[2].revents) {
            error = screen_feed(model, feed, &shown);
        }
    }
    return error;
}

int screen_run(struct model *model, struct feed *feed, uint64_t frames)
{
    struct screen screen;
    sigset_t ending;
    int error = screen_init(&screen);

    if (error) {
        return error;
    }
    error = screen_loop(&screen, model, feed, frames);
    screen_fini(&screen);
    if (screen.ended) { /* as without us, so that our parent sees why */
        sigemptyset(&ending);
        sigaddset(&ending, screen.ended);
        signal(screen.ended, SIG_DFL);
        raise(screen.ended);
        pthread_sigmask(SIG_UNBLOCK, &ending, NULL);
    }
    return error;
}
