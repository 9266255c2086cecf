// What a page must know of the installation that it is shown by.

export type Site = { test_pki: boolean; phone_url: string; id_url: string };

/** null where the server doesn't say. */
export async function fetchSite(): Promise<Site | null> {
  try {
    const response = await fetch('/site', { headers: { Accept: 'application/json' } });
    if (!response.ok) return null;
    const site = (await response.json()) as Partial<Site>;
    return {
      test_pki: site.test_pki === true,
      phone_url: String(site.phone_url ?? ''),
      id_url: String(site.id_url ?? ''),
    };
  } catch {
    return null;
  }
}

/** The banner that every page of a test installation has (design: the test PKI is never silent). */
export async function showTestBanner(text: string): Promise<Site | null> {
  const site = await fetchSite();
  if (site?.test_pki) testBanner(text);
  return site;
}

export function testBanner(text: string): void {
  if (document.querySelector('.test-banner')) return;
  const banner = document.createElement('aside');
  banner.className = 'test-banner';
  banner.dataset['test'] = 'test-banner';
  banner.textContent = text;
  document.body.append(banner);
}

export function shortAddress(address: string): string {
  return address.replace(/^https?:\/\//, '').replace(/\/$/, '');
}
