// The live page of a node: asks for its tables every second, listens to its events, draws. All that
// it shows goes into the page as text, never as markup.
'use strict';

const PERIOD_MS = 1000; // between two looks
const POINTS = 120;     // of a curve
const ROWS = 200;       // of a table
const EVENTS = 300;     // that are kept
const MANY = 5000;      // processes: more are listed only when asked for

const $ = (id) => document.getElementById(id);

function make(name, attributes = {}, ...children) {
    const e = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
    e.append(...children);
    return e;
}

function draw(name, attributes = {}, ...children) {
    const e = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
    e.append(...children);
    return e;
}

// ---- asking ---------------------------------------------------------------------------------

class Refused extends Error {}

// The token, kept for this tab alone. A client with a certificate needs none.
const token = {
    get: () => sessionStorage.getItem('rusm-token'),
    set: (text) => sessionStorage.setItem('rusm-token', text),
    drop: () => sessionStorage.removeItem('rusm-token'),
};

async function ask(path, options = {}) {
    const headers = token.get() ? { authorization: `Bearer ${token.get()}` } : {};
    const response = await fetch(path, { headers, cache: 'no-store', ...options });
    if (response.status === 401 || response.status === 429) {
        throw new Refused((await response.json()).error);
    }
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return response;
}

async function table(name) {
    return (await (await ask(`/v1/${name}`, { signal: AbortSignal.timeout(10000) })).json())[name];
}

// ---- numbers --------------------------------------------------------------------------------

function short(n) {
    const steps = [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e4, 'k', 1e3]];
    for (const [from, unit, by] of steps) {
        if (Math.abs(n) >= from) {
            const value = n / (by || from);
            return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${unit}`;
        }
    }
    return Number.isInteger(n) || n >= 100 ? String(Math.round(n)) : n.toFixed(n < 10 ? 2 : 1);
}

const bytes = (n) => `${short(n)}B`.replace(/^(\d[\d.]*)B$/, '$1 B');

function age(seconds) {
    const s = Math.floor(seconds);
    if (s < 60) return `${s} s`;
    if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
    if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`;
    return `${Math.floor(s / 86400)} d ${Math.floor(s / 3600) % 24} h`;
}

// ---- plots ----------------------------------------------------------------------------------

const HEIGHT = 92, LEFT = 44, BOTTOM = 6;

// The next 1, 2 or 5 times a power of ten: where the axis ends.
function ceiling(n) {
    if (n <= 0) return 1;
    const power = 10 ** Math.floor(Math.log10(n));
    return power * [1, 2, 5, 10].find((step) => step * power >= n);
}

class Plot {
    constructor(title, series, format) {
        this.series = series.map((name) => ({ name, values: [] }));
        this.format = format;
        this.at = null; // the point that the pointer is over
        this.now = make('span', { class: 'now' });
        this.svg = draw('svg', { role: 'img',
                                 'aria-label': `${title}, the last ${POINTS} seconds` });
        this.svg.addEventListener('pointermove', (e) => {
            const box = this.svg.getBoundingClientRect();
            const back = (box.right - e.clientX) / (box.width - LEFT) * (POINTS - 1);
            this.at = Math.max(0, Math.round(back));
            this.show();
        });
        this.svg.addEventListener('pointerleave', () => { this.at = null; this.show(); });
        $('plots').append(make('figure', {},
            make('figcaption', {}, make('span', { class: 'what' }, title), this.now), this.svg));
    }

    add(...values) {
        this.series.forEach((s, i) => {
            s.values.push(values[i]);
            if (s.values.length > POINTS) s.values.shift();
        });
        this.show();
    }

    show() {
        const width = this.svg.clientWidth || 300; // a unit is a pixel
        const top = ceiling(Math.max(...this.series.flatMap((s) => s.values), 0));
        const x = (back) => width - back * (width - LEFT) / (POINTS - 1);
        const y = (value) => (HEIGHT - BOTTOM) - value / top * (HEIGHT - BOTTOM - 8);
        const parts = [];
        for (const value of [0, top / 2, top]) {
            parts.push(draw('line', { class: 'gridline', x1: LEFT, x2: width, y1: y(value),
                                      y2: y(value) }),
                       draw('text', { class: 'axis', x: LEFT - 5, y: y(value) + 3,
                                      'text-anchor': 'end' }, this.format(value)));
        }
        this.series.forEach((s, i) => {
            const last = s.values.length - 1;
            parts.push(draw('polyline', { class: `curve s${i}`,
                points: s.values.map((v, at) => `${x(last - at)},${y(v)}`).join(' ') }));
        });
        if (this.at !== null) {
            parts.push(draw('line', { class: 'cursor', x1: x(this.at), x2: x(this.at), y1: 0,
                                      y2: HEIGHT - BOTTOM }));
        }
        this.svg.setAttribute('viewBox', `0 0 ${width} ${HEIGHT}`);
        this.svg.replaceChildren(...parts);
        this.now.replaceChildren(...this.series.flatMap((s, i) => {
            const value = s.values[s.values.length - 1 - (this.at || 0)];
            const text = value === undefined ? '-' : this.format(value);
            return [make('span', { class: `s${i}` }, `${i ? '  ' : ''}${s.name} `), text];
        }), this.at ? ` ${this.at} s ago` : '');
    }
}

// ---- tables ---------------------------------------------------------------------------------

class Table {
    // columns: [key, title, how]; how turns the value into text, and a number stands to the right.
    constructor(id, columns, key, order, down) {
        this.columns = columns;
        this.key = key;
        this.order = order;
        this.down = down;
        this.rows = [];
        this.before = new Map(); // a row's `received` at the last look
        this.head = [];
        this.headRow = make('tr');
        columns.forEach(([name, title, how]) => this.addHead(name, title, how));
        this.body = make('tbody');
        $(id).append(make('thead', {}, this.headRow), this.body);
    }

    addHead(name, title, how) {
        const button = make('button', { type: 'button' }, title);
        button.addEventListener('click', () => {
            this.down = this.order === name ? !this.down : Boolean(how);
            this.order = name;
            this.show();
        });
        this.head.push(make('th', { scope: 'col', class: how ? 'number' : '' }, button));
        this.headRow.append(this.head[this.head.length - 1]);
    }

    // Shows the node's columns that have no title here too, at the end, under their own names.
    addColumns(row) {
        for (const [name, value] of Object.entries(row)) {
            if (this.columns.some(([known]) => known === name)) continue;
            const how = typeof value === 'number' ? short : undefined;
            this.columns.push([name, name, how]);
            this.addHead(name, name, how);
        }
    }

    // What a row received since it was last seen, a second.
    take(rows, seconds) {
        const now = new Map();
        if (rows.length > 0) this.addColumns(rows[0]);
        for (const row of rows) {
            const name = row[this.key];
            const had = this.before.get(name);
            now.set(name, row.received);
            row.rate = had === undefined || !(seconds > 0) ? 0
                : Math.max(0, (row.received - had) / seconds);
        }
        this.before = now;
        this.rows = rows;
        this.show();
    }

    wanted() { return this.rows; }

    show() {
        const rows = [...this.wanted()];
        const by = this.order, sign = this.down ? -1 : 1;
        rows.sort((a, b) => sign * (typeof a[by] === 'number' ? a[by] - b[by]
            : String(a[by]).localeCompare(String(b[by]), 'en', { numeric: true })));
        this.head.forEach((th, i) => {
            if (this.columns[i][0] !== by) th.removeAttribute('aria-sort');
            else th.setAttribute('aria-sort', this.down ? 'descending' : 'ascending');
        });
        this.body.replaceChildren(...rows.slice(0, ROWS).map((row) => make('tr', {},
            ...this.columns.map(([name, , how]) => this.cell(row, name, how)))));
        if (rows.length === 0) {
            this.body.append(make('tr', {}, make('td', { class: 'none',
                colspan: this.columns.length }, 'none')));
        }
    }

    cell(row, name, how) {
        const value = row[name] === '' ? '-' : row[name];
        const text = how ? how(row[name]) : String(value);
        const bad = (name === 'state' && value === 'lost') || (name === 'lost' && value > 0);
        return make('td', { class: `${how ? 'number' : 'text'}${bad ? ' bad' : ''}`,
                            ...(how ? {} : { title: text }) }, text);
    }
}

class ProcessTable extends Table {
    wanted() {
        const text = $('filter').value.toLowerCase();
        return text ? this.rows.filter((row) => `${row.pid} ${row.name} ${row.behaviour}`
            .toLowerCase().includes(text)) : this.rows;
    }

    show() {
        super.show();
        const count = this.wanted().length;
        $('processes-count').textContent = count > ROWS ? `${ROWS} of ${count} shown` : `${count}`;
    }
}

// ---- events ---------------------------------------------------------------------------------

const events = { shown: 0, missed: 0 };

function eventText(type, data) {
    const { time, ...rest } = data;
    if (type === 'counters') return null; // the plots show them
    return Object.entries(rest).map(([key, value]) => `${key} ${value}`).join(', ');
}

function eventShow(type, data) {
    const list = $('events'), text = eventText(type, data);
    if (text === null) return;
    const follows = list.scrollTop + list.clientHeight >= list.scrollHeight - 30;
    const when = data.time ? new Date(data.time * 1000) : new Date();
    const bad = type === 'node_down' || type === 'missed' || type === 'name_lost' ||
        type === 'process_down' ||
        (type === 'process_ended' && !['normal', 'shutdown'].includes(data.reason));
    list.append(make('li', {},
        make('time', { datetime: when.toISOString() }, when.toISOString().slice(11, 23)),
        make('span', { class: bad ? 'bad' : '' }, type.replace('_', ' ')),
        make('span', { class: 'mono', title: text }, text)));
    if (list.childElementCount > EVENTS) list.firstElementChild.remove();
    if (follows) list.scrollTop = list.scrollHeight;
    events.shown += 1;
    if (type === 'missed') events.missed += data.events;
    $('events-count').textContent = events.missed ? `${events.shown}, ${events.missed} missed`
        : `${events.shown}`;
}

// One block of the stream: "event: TYPE", "data: JSON", comments.
function eventBlock(block) {
    let type = 'message', data = '';
    for (const line of block.split('\n')) {
        if (line.startsWith('event: ')) type = line.slice(7);
        if (line.startsWith('data: ')) data += line.slice(6);
    }
    if (data) eventShow(type, JSON.parse(data));
}

// EventSource cannot send a token, so the stream is read here.
async function listen() {
    const response = await ask('/v1/events');
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        const blocks = (rest + value).split('\n\n');
        rest = blocks.pop();
        blocks.forEach(eventBlock);
    }
}

// ---- the page -------------------------------------------------------------------------------

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const number = (n) => short(n), rate = (n) => short(n);

let plots, peers, processes, counters, before = null, listAll = false;

function build() {
    plots = {
        messages: new Plot('Messages handled/s', [''], short),
        processes: new Plot('Processes', [''], short),
        bytes: new Plot('UDP bytes/s', ['in', 'out'], bytes),
        undelivered: new Plot('Messages not delivered/s', [''], short),
    };
    peers = new Table('peers', [['node', 'Node'], ['address', 'Address'],
        ['direction', 'Direction'], ['state', 'State'], ['rtt_us', 'Round trip, µs', number],
        ['rate', 'Received/s', rate], ['received', 'Received', number], ['sent', 'Sent', number],
        ['lost', 'Lost', number], ['lanes', 'Lanes', number], ['since', 'Since', age]],
        'node', 'node', false);
    processes = new ProcessTable('processes', [['pid', 'Pid'], ['name', 'Name'],
        ['behaviour', 'Behaviour'], ['state', 'State'], ['mailbox', 'Mailbox', number],
        ['rate', 'Received/s', rate], ['received', 'Received', number],
        ['memory', 'Memory', bytes], ['links', 'Links', number], ['age', 'Age', age]],
        'pid', 'rate', true);
    counters = new Table('counters', [['counter', 'Counter'], ['value', 'Value', String]],
        'counter', 'counter', false);
    $('filter').addEventListener('input', () => processes.show());
    $('list').addEventListener('click', () => { listAll = true; });
}

function status(kind, text) {
    $('status').className = kind;
    $('status').textContent = text;
}

async function look() {
    const [node] = await table('node'); // first, so that a wrong token is tried once
    const [rows, peerRows] = await Promise.all([table('counters'), table('peers')]);
    const now = { at: performance.now(), incarnation: node.incarnation };
    for (const row of rows) now[row.counter] = row.value;
    now.undelivered = rows.filter((row) => row.counter.startsWith('undelivered_'))
        .reduce((sum, row) => sum + row.value, 0);
    const same = before && before.incarnation === now.incarnation;
    const seconds = same ? (now.at - before.at) / 1000 : 0;
    const a = (key) => (seconds > 0 ? Math.max(0, (now[key] - before[key]) / seconds) : 0);

    document.title = `${node.name}: rusm`;
    $('name').textContent = node.name;
    $('about').textContent = `${node.address}, incarnation ${node.incarnation}, up ` +
        `${age(node.uptime)}, rusm ${node.version}`;
    if (seconds > 0) {
        plots.messages.add(a('messages_handled'));
        plots.bytes.add(a('bytes_in'), a('bytes_out'));
        plots.undelivered.add(a('undelivered'));
    }
    plots.processes.add(node.processes);
    peers.take(peerRows, seconds);
    $('peers-count').textContent = `${node.peers} connected`;
    counters.take(rows, seconds);
    const many = node.processes > MANY;
    $('list').hidden = !many;
    if (!many || listAll) {
        listAll = false;
        processes.take(await table('processes'), many ? 0 : seconds);
    } else if (processes.rows.length <= MANY) {
        processes.take([], 0);
        $('processes-count').textContent = `${node.processes}`;
    }
    before = now;
}

async function login(why) {
    $('main').hidden = true;
    $('login').hidden = false;
    $('refused').textContent = why;
    status('', 'needs the token');
    $('token').focus();
    await new Promise((resolve) => {
        $('login').onsubmit = (e) => {
            e.preventDefault();
            token.set($('token').value.trim());
            $('token').value = '';
            resolve();
        };
    });
}

async function watch() {
    for (;;) {
        try {
            if (!document.hidden) {
                await look();
                $('login').hidden = true;
                $('main').hidden = false;
                status('live', 'live');
            }
        } catch (error) {
            before = null;
            if (error instanceof Refused) {
                const tried = token.get() !== null;
                token.drop();
                await login(tried ? error.message : '');
                continue;
            }
            status('lost', 'not reachable, trying again');
        }
        await pause(PERIOD_MS);
    }
}

async function follow() {
    for (;;) {
        try {
            if (!$('main').hidden) await listen();
        } catch (error) {
            // watch() says what is wrong
        }
        await pause(PERIOD_MS);
    }
}

build();
watch();
follow();
