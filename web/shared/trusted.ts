// The one Trusted Types policy of our pages (`trusted-types app`): it lets through the addresses of our own scripts.

type Policy = { createScriptURL(address: string): string };
type Factory = { createPolicy(name: string, rules: Policy): Policy };

const rules: Policy = {
  createScriptURL(address) {
    const url = new URL(address, location.origin);
    if (url.origin !== location.origin) throw new TypeError('a script of another origin');
    return url.href;
  },
};

/** The address of a worker, as `serviceWorker.register` wants it. */
export function scriptUrl(address: string): string {
  const factory = (globalThis as { trustedTypes?: Factory }).trustedTypes;
  return (factory?.createPolicy('app', rules) ?? rules).createScriptURL(address);
}
