// Debian's Apache with mod_auth_openidc, protecting a page: a partner's web server as banks run it.
import { mkdir, writeFile, chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { start } from '../../web/demo/process.mjs';

const modules = '/usr/lib/apache2/modules';

/** Starts it in `folder`. `client`: { client_id, client_secret }. Gives { url, stop() }. */
export async function startApache({ folder, port, issuer, client, directives = '' }) {
  const site = join(folder, 'site');
  await mkdir(join(site, 'protected'), { recursive: true });
  for (const path of [folder, site, join(site, 'protected')]) await chmod(path, 0o755);
  await writeFile(join(site, 'protected/index.shtml'), `<!doctype html><html lang="en"><title>Members</title>
<h1>Welcome, <span id="name"><!--#echo encoding="entity" var="OIDC_CLAIM_name" --></span></h1>
<p id="sub"><!--#echo encoding="entity" var="OIDC_CLAIM_sub" --></p><p id="iss"><!--#echo encoding="entity" var="OIDC_CLAIM_iss" --></p></html>`);
  const config = join(folder, 'apache.conf');
  const load = ['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'alias', 'dir', 'mime', 'include', 'auth_openidc', 'headers', 'env']
    .map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`).join('\n');
  await writeFile(config, `
ServerRoot ${folder}
ServerName localhost
PidFile ${join(folder, 'apache.pid')}
Mutex file:${folder}
Listen 127.0.0.1:${port}
ErrorLog ${join(folder, 'error.log')}
LogLevel notice auth_openidc:info
${load}
User www-data
Group www-data
StartServers 1
ServerLimit 2
ThreadsPerChild 16
MaxRequestWorkers 32
DocumentRoot ${site}
TypesConfig /dev/null
AddType text/html .shtml
AddOutputFilter INCLUDES .shtml
DirectoryIndex index.shtml
OIDCProviderMetadataURL ${issuer}/.well-known/openid-configuration
OIDCClientID ${client.client_id}
${client.client_secret ? `OIDCClientSecret ${client.client_secret}` : ''}
OIDCRedirectURI http://localhost:${port}/protected/callback
OIDCCryptoPassphrase 3f1c0b6a-one-run-of-the-tests
OIDCScope "openid profile"
OIDCPKCEMethod S256
OIDCRemoteUserClaim sub
${directives}
<Directory ${site}>
  Options +Includes
  Require all granted
</Directory>
<Location /protected>
  AuthType openid-connect
  Require valid-user
</Location>
`);
  // "resuming normal operations" goes to the error log; -DFOREGROUND keeps the process ours.
  const apache = await start({
    name: 'apache2', program: '/bin/sh', args: ['-c', `/usr/sbin/apache2 -f ${config} -t && echo syntax-ok && exec /usr/sbin/apache2 -f ${config} -DFOREGROUND`],
    logFile: join(folder, 'apache.out'), ready: /syntax-ok|Syntax OK/,
  });
  // The port opens after the syntax was judged: ask until it answers.
  for (let tries = 0; ; ++tries) {
    try {
      await fetch(`http://127.0.0.1:${port}/`);
      break;
    } catch (error) {
      if (apache.exited || tries > 200) throw new Error(`apache2 does not answer: ${error.message}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return { url: `http://localhost:${port}`, stop: () => apache.stop() };
}
