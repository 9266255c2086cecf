// The server of the reader protocol, played for symbolon-eid (docs/reader-protocol.md).
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

export const ticket = 'dGhpcy1pcy1hLXRpY2tldA';

/**
 * The id origin, as far as the program sees it. `open` is added to the answer of /eid/open, `on` maps paths to what answers instead.
 * Remembers every request in `asked`.
 */
export async function startServer() {
    const server = { asked: [], open: {}, on: {}, challenge: randomBytes(48) };
    const listener = createServer((request, response) => {
        let text = '';
        request.setEncoding('utf8').on('data', (part) => { text += part; });
        request.on('end', async () => {
            const body = JSON.parse(text);
            server.asked.push({ path: request.url, body, language: request.headers['accept-language'], method: request.method });
            const answer = (status, content, headers = {}) => {
                response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
                response.end(content === undefined ? '' : typeof content === 'string' ? content : JSON.stringify(content));
            };
            const instead = server.on[request.url];
            if (instead && await instead(body, answer) !== 'go on') return;
            if (request.url === '/eid/open') answer(200, server.answerToOpen());
            else if (request.url === '/eid/progress') answer(204);
            else answer(200, {});
        });
    });
    await new Promise((done) => { listener.listen(0, '127.0.0.1', done); });
    const { port } = listener.address();
    server.origin = `http://127.0.0.1:${port}`;
    server.link = `symbolon-eid://127.0.0.1:${port}/${ticket}`;
    server.answerToOpen = () => ({
        session: 'S', purpose: 'read', origin: server.origin, phone_number: '+32470123456', email: 'a@b.example', language: 'fr',
        symbols: ['boat', 'dog', 'sun', 'tree', 'moon', 'fish'], challenge: server.challenge.toString('base64url'), ...server.open,
    });
    server.progress = () => server.asked.filter(({ path }) => path === '/eid/progress').map(({ body }) => body);
    server.sent = (path) => server.asked.find((request) => request.path === path)?.body;
    server.stop = () => new Promise((done) => { listener.closeAllConnections(); listener.close(done); });
    return server;
}
