// The demo's outbox: takes SMS as Kannel's HTTP interface does, keeps them in memory, and shows them.
import { createServer } from 'node:http';
import { waitingRoom } from './waiting.mjs';

const escape = (text) => text.replace(/[&<>"']/g, (c) => `&#${c.codePointAt(0)};`);

export async function startOutbox({ port, password }) {
  const messages = [];
  const { until, changed } = waitingRoom();

  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://localhost');
    if (url.pathname === '/cgi-bin/sendsms') {
      const query = url.searchParams;
      if (query.get('password') !== password) {
        response.writeHead(403, { 'content-type': 'text/plain' }).end('Authorization failed for sendsms');
        return;
      }
      const message = { to: query.get('to'), from: query.get('from'), text: query.get('text'), at: new Date().toISOString() };
      if (!message.to || !message.text) {
        response.writeHead(400, { 'content-type': 'text/plain' }).end('Missing receiver number or text');
        return;
      }
      messages.push(message);
      changed();
      response.writeHead(202, { 'content-type': 'text/plain' }).end('0: Accepted for delivery');
    } else if (url.pathname === '/messages.json') {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(messages));
    } else if (url.pathname === '/') {
      const rows = messages.toReversed().map((m) =>
        `<li><p class="meta">to <b>${escape(m.to)}</b>, from ${escape(m.from ?? '')}, ${escape(m.at)}</p><p>${escape(m.text)}</p></li>`);
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="3">
<title>Outbox – Symbolon demo</title>
<style>
body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem;color:#1c2430;background:#f6f7f9}
li{list-style:none;background:#fff;border:1px solid #d5dae1;border-radius:.75rem;padding:.75rem 1rem;margin:.75rem 0}
ul{padding:0}.meta{color:#556;font-size:.875rem;margin:0}p{margin:.25rem 0}
</style>
<h1>Outbox</h1><p>Every SMS that the demo sends ends here, newest first.</p>
<p class="meta">Notifications are not here: each goes encrypted to the push service of the phone's own browser, and that phone alone can read it.
Without one the app shows what waits as soon as it is open.</p>
<ul>${rows.join('') || '<li>Nothing yet.</li>'}</ul></html>`);
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));

  return {
    url: `http://localhost:${server.address().port}`,
    messages,
    // The newest message to a number from the `seen`th message on; waits for it.
    next: (to, seen = 0) => until(() => messages.slice(seen).findLast((m) => m.to === to)),
    stop: () => new Promise((resolve) => {
      server.closeAllConnections();
      server.close(resolve);
    }),
  };
}
