// A push service of our own on loopback: takes messages as RFC 8030 says and checks who sends them (RFC 8292). Towards Firefox it
// speaks the protocol of Mozilla's service over a WebSocket; for other receivers it opens the messages itself, by an implementation of
// RFC 8188 and 8291 that is not ours.
import { createECDH, randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import ece from 'http_ece';
import { importJWK, jwtVerify } from 'jose';
import { WebSocketServer } from 'ws';
import { waitingRoom } from '../../web/demo/waiting.mjs';

const mostBytes = 4096; // RFC 8030 §7.2: every service takes as much

async function verifiedSender(header, origin) {
  const match = /^vapid t=([\w-]+\.[\w-]+\.[\w-]+), k=([\w-]{87})$/.exec(header ?? '');
  if (!match) throw new Error('no vapid');
  const [, token, key] = match;
  const point = Buffer.from(key, 'base64url');
  const jwk = { kty: 'EC', crv: 'P-256', x: point.subarray(1, 33).toString('base64url'), y: point.subarray(33).toString('base64url') };
  const { payload } = await jwtVerify(token, await importJWK(jwk, 'ES256'), { audience: origin, algorithms: ['ES256'], requiredClaims: ['exp'] });
  if (payload.exp > Date.now() / 1000 + 86400) throw new Error('over 24 hours');
  return key;
}

/**
 * `messages`: what was accepted, with headers, body and, for receivers of the test, `plain` (the padding taken off).
 * `answers`: what is answered to the next requests instead, {status, retryAfter}.
 */
export async function startPushService() {
  const messages = [];
  const refused = [];
  const acknowledged = []; // by Firefox: {channelID, version, code}, code 100: the worker has it
  const answers = [];
  const receivers = new Map(); // by path: {key, receive(message)} or null when gone
  const { until, changed } = waitingRoom();
  const sockets = new Map(); // channel → socket
  let origin;

  async function take(request, body) {
    const path = new URL(request.url, origin).pathname;
    const { ttl, topic, urgency } = request.headers;
    const receiver = receivers.get(path);
    if (receiver === undefined) return { status: 404 };
    if (receiver === null) return { status: 410 };
    if (request.method !== 'POST') return { status: 405 };
    if (!/^\d+$/.test(ttl ?? '')) return { status: 400 }; // RFC 8030 §5.2
    if (topic !== undefined && !/^[\w-]{1,32}$/.test(topic)) return { status: 400 }; // §5.4
    if (urgency !== undefined && !['very-low', 'low', 'normal', 'high'].includes(urgency)) return { status: 400 }; // §5.3
    if (request.headers['content-encoding'] !== 'aes128gcm') return { status: 415 };
    if (body.length > mostBytes) return { status: 413 };
    let sender;
    try {
      sender = await verifiedSender(request.headers.authorization, origin);
    } catch {
      return { status: 401 };
    }
    if (sender !== receiver.key) return { status: 403 }; // RFC 8292 §4.2
    const message = { path, headers: request.headers, body };
    if (answers.length > 0) return { ...answers.shift(), message };
    await receiver.receive(message);
    messages.push(message);
    return { status: 201, location: `${origin}/m/${randomUUID()}` };
  }

  const server = createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', async () => {
      const { status, location, retryAfter, message } = await take(request, Buffer.concat(parts)).catch(() => ({ status: 500 }));
      if (status !== 201) refused.push({ status, message, path: request.url });
      const headers = { ...(location && { location, ttl: request.headers.ttl }), ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }) };
      response.writeHead(status, headers).end();
      changed();
    });
  });

  const webSockets = new WebSocketServer({ server });
  webSockets.on('connection', (socket) => {
    const say = (message) => socket.send(JSON.stringify(message));
    socket.on('message', (data) => {
      const said = JSON.parse(data.toString());
      const { channelID } = said;
      switch (said.messageType) {
        case 'hello':
          return say({ messageType: 'hello', uaid: said.uaid || randomUUID().replaceAll('-', ''), status: 200, use_webpush: true, broadcasts: {} });
        case 'register': {
          const path = `/wpush/v2/${randomBytes(24).toString('base64url')}`;
          sockets.set(channelID, socket);
          receivers.set(path, {
            key: said.key?.replace(/=+$/, ''),
            receive: (message) => sockets.get(channelID).send(JSON.stringify({
              messageType: 'notification', channelID, version: randomUUID(), ttl: Number(message.headers.ttl),
              data: message.body.toString('base64url'), headers: { encoding: message.headers['content-encoding'] },
            })),
          });
          say({ messageType: 'register', channelID, status: 200, pushEndpoint: `${origin}${path}` });
          return changed();
        }
        case 'ack':
        case 'nack':
          acknowledged.push(...(said.updates ?? [said]));
          return changed();
        case 'unregister':
          sockets.delete(channelID);
          return say({ messageType: 'unregister', channelID, status: 200 });
        default:
          return data.toString() === '{}' ? socket.send('{}') : undefined;
      }
    });
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  origin = `http://localhost:${port}`;

  return {
    port, origin, messages, refused, acknowledged, answers, until,
    webSocketUrl: `ws://localhost:${port}`,
    /** The `count`th accepted message, once it is there. */
    message: (count) => until(() => messages[count - 1]),
    /** A subscription whose messages the test reads. `key`: the sender's, as in VAPID's k. */
    subscription(key) {
      const pair = createECDH('prime256v1');
      const point = pair.generateKeys();
      const auth = randomBytes(16);
      const path = `/p/${randomBytes(16).toString('base64url')}`;
      receivers.set(path, {
        key,
        receive: (message) => {
          message.plain = ece.decrypt(message.body, { version: 'aes128gcm', privateKey: pair, authSecret: auth.toString('base64url') }).toString();
        },
      });
      return { endpoint: `${origin}${path}`, p256dh: point.toString('base64url'), auth: auth.toString('base64url'), end: () => receivers.set(path, null) };
    },
    stop: () => new Promise((resolve) => {
      for (const client of webSockets.clients) client.terminate();
      webSockets.close();
      server.closeAllConnections();
      server.close(resolve);
    }),
  };
}
