// A screen that nobody sees (Xvfb), and keys pressed on it (xdotool).
import { execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { end } from './child.mjs';

const run = promisify(execFile);

/**
 * Starts a screen of its own. Gives { env, press(...keys), pages(className), stop() }; `env` is what a program needs to appear on it.
 *
 * `pages(className)` waits for the window of that class, gives it the keyboard, and gives { next(name), stop() }: next() waits until the
 * window has shown the page `name` (its role, WM_WINDOW_ROLE, is name-N) and gives the pages that it showed since the last call.
 */
export async function startScreen() {
    const server = spawn('Xvfb', ['-displayfd', '1', '-screen', '0', '800x760x24', '-nolisten', 'tcp'], { stdio: ['ignore', 'pipe', 'ignore'] });
    const number = await new Promise((done, failed) => {
        createInterface({ input: server.stdout }).once('line', done);
        server.once('error', failed);
        server.once('exit', (code) => failed(new Error(`Xvfb ended: ${code}`)));
    });
    // No accessibility bus, no settings and no theme of whoever runs this.
    const env = { ...process.env, DISPLAY: `:${number}`, GDK_BACKEND: 'x11', NO_AT_BRIDGE: '1', GTK_THEME: 'Adwaita', GSETTINGS_BACKEND: 'memory' };
    const press = (...keys) => run('xdotool', ['key', '--clearmodifiers', ...keys], { env });
    const pages = async (className) => {
        const { stdout } = await run('xdotool', ['search', '--sync', '--onlyvisible', '--class', className], { env });
        const id = stdout.trim().split('\n').at(-1);
        const spy = spawn('xprop', ['-spy', '-id', id, 'WM_WINDOW_ROLE'], { env, stdio: ['ignore', 'pipe', 'ignore'] });
        const seen = [];
        let [at, last, waiting, gone] = [0, '', () => {}, false];
        createInterface({ input: spy.stdout }).on('line', (line) => {
            // Two quick changes may both be told with the later value: each page has a number, and counts once.
            const [, name, number] = /= "(\w+)-(\d+)"/.exec(line) ?? [];
            if (!name || number === last) return;
            last = number;
            seen.push(name);
            waiting();
        });
        spy.once('exit', () => { gone = true; waiting(); });
        await run('xdotool', ['windowfocus', '--sync', id], { env });
        const next = (name) => new Promise((done, failed) => {
            waiting = () => {
                const found = seen.indexOf(name, at);
                if (found >= 0) {
                    const shown = seen.slice(at, found + 1);
                    at = found + 1;
                    waiting = () => {};
                    done(shown);
                } else if (gone) {
                    failed(new Error(`the window went away before the page ${name}: ${seen.join(' ')}`));
                }
            };
            waiting();
        });
        return { next, stop: () => end(spy) };
    };
    return { env, press, pages, stop: () => end(server) };
}
