/** Ends a child process by its own id, and waits for its end. */
export async function end(child) {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((done) => { child.once('exit', done); });
    child.kill('SIGTERM');
    await ended;
}
