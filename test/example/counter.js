// counter: counts the texts that it is sent; called with one, it answers how often that came. It
// registers its own name, and asks the greeter of its node to say so.
//
//     rusm node --name london --boot greeter=greeter --boot 'tally=exec+json:node counter.js'
//     rusm send london counter apple; rusm call london counter apple
const counts = new Map();
const ask = (request) => console.log(JSON.stringify(request));

ask({ register: 'counter', ref: 'name' });
require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const news = JSON.parse(line);
    if (news.done === 'name')
        ask({ call: 'greeter', data: process.env.RUSM_PID, ref: 'hello' });
    else if (news.reply === 'hello')
        ask({ print: news.data });
    else if (news.failed !== undefined || news.bad)
        console.error(line);
    else if (news.ref)
        ask({ reply: news.ref, data: String(counts.get(news.data) ?? 0) });
    else if (news.data !== undefined)
        counts.set(news.data, (counts.get(news.data) ?? 0) + 1);
});
