// The package of symbolon-eid, as somebody gets it who has nothing else of this project.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { defaultBinDir } from '../lib/card_stack.mjs';

const run = promisify(execFile);
const build = dirname(defaultBinDir());
let folder;
let installed;
let debFile;

before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'symbolon-package-'));
    await run('cmake', ['--build', build, '--target', 'eid_package_ready']);
    await run('cpack', ['-G', 'DEB', '-B', folder], { cwd: build });
    debFile = join(folder, (await readdir(folder)).find((name) => name.endsWith('.deb')));
    installed = join(folder, 'installed');
    await mkdir(installed);
    await run('dpkg-deb', ['-x', debFile, installed]);
});
after(() => rm(folder, { recursive: true, force: true }));

const field = async (name) => (await run('dpkg-deb', ['-f', debFile, name])).stdout.trim();

test('lintian finds neither an error nor a warning in the package', async () => {
    const { stdout } = await run('lintian', ['--allow-root', '--fail-on', 'error,warning', debFile]).catch((failed) => failed);
    assert.equal(stdout, '');
});

test('the package holds the program, its desktop entry, icon, man page, copyright and changelog, and nothing else', async () => {
    const files = (await readdir(installed, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    assert.deepEqual(files.map((entry) => join(entry.parentPath, entry.name).slice(installed.length)).sort(), [
        '/usr/bin/symbolon-eid',
        '/usr/share/applications/symbolon-eid.desktop',
        '/usr/share/doc/symbolon-eid/changelog.gz',
        '/usr/share/doc/symbolon-eid/copyright',
        '/usr/share/icons/hicolor/scalable/apps/symbolon-eid.svg',
        '/usr/share/man/man1/symbolon-eid.1.gz',
    ]);
});

test('the package depends on the libraries of card readers, TLS, HTTP, text and its window, and on no other part of this project', async () => {
    const names = (await field('Depends')).split(', ').map((one) => one.split(' ')[0]).sort();
    assert.deepEqual(names, [
        'libatk1.0-0', 'libc6', 'libcairo2', 'libcurl4', 'libfmt9', 'libgcc-s1', 'libgdk-pixbuf-2.0-0', 'libglib2.0-0', 'libgtk-3-0', 'libicu72', 'libpcsclite1',
        'librsvg2-common', 'libssl3', 'libstdc++6',
    ]);
});

test('the packaged program is stripped, finds its libraries, and has the version of the package, its changelog and its man page', async () => {
    const program = join(installed, 'usr/bin/symbolon-eid');
    const version = await field('Version');
    assert.equal((await run(program, ['--version'])).stdout.trim(), `symbolon-eid ${version}`);
    assert.doesNotMatch((await run('objdump', ['-h', program])).stdout, /\.debug_info|\.symtab/);
    const unpacked = async (name) => gunzipSync(await readFile(join(installed, 'usr/share', name))).toString();
    assert.match(await unpacked('doc/symbolon-eid/changelog.gz'), new RegExp(`^symbolon-eid \\(${version.replaceAll('.', '\\.')}\\) `));
    assert.match(await unpacked('man/man1/symbolon-eid.1.gz'), new RegExp(`"symbolon-eid ${version.replaceAll('.', '\\.')}"`));
});

test('the man page tells every option that the program has', async () => {
    const { stdout } = await run(join(installed, 'usr/bin/symbolon-eid'), ['--help']);
    const page = gunzipSync(await readFile(join(installed, 'usr/share/man/man1/symbolon-eid.1.gz'))).toString().replaceAll('\\-', '-');
    const options = [...stdout.matchAll(/(?<=^\s+(?:-\w,)?)--[a-z-]+/gm)].map(([option]) => option);
    assert.ok(options.includes('--headless'), stdout);
    for (const option of options) assert.ok(page.includes(option), `${option} is in the man page`);
});

test('the desktop entry is valid and opens symbolon-eid: links', async () => {
    const entry = join(installed, 'usr/share/applications/symbolon-eid.desktop');
    const { stdout, stderr } = await run('desktop-file-validate', [entry]);
    assert.equal(stdout + stderr, '');
    await run('update-desktop-database', [dirname(entry)]);
    const found = await run('gio', ['mime', 'x-scheme-handler/symbolon-eid'],
        {
            env: {
                PATH: `${join(installed, 'usr/bin')}:${process.env.PATH}`, LC_ALL: 'C.UTF-8', HOME: folder,
                XDG_DATA_DIRS: join(installed, 'usr/share'), XDG_DATA_HOME: join(folder, 'data'), XDG_CONFIG_HOME: join(folder, 'config'),
            },
        });
    assert.match(found.stdout, /^Default application .*: symbolon-eid\.desktop$/m);
});
