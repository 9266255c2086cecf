// D3 on the phone: to a page by its QR code or by its short code.

import { useEffect, useRef, useState } from 'preact/hooks';
import type { Failure } from '../shared/api.ts';
import { claimOfAddress, type PageClaim } from '../shared/device-protocol.ts';
import { Busy, FailureNotice, Heading, Notice, TextField } from '../shared/ui.tsx';
import { Reload } from './parts.tsx';
import type { Server } from './server.ts';
import type { Texts } from './texts.ts';

// ---- screens ---------------------------------------------------------------------------------------------------------------

export type ClaimProps = {
  texts: Texts;
  server: Server;
  first: PageClaim | 'scan' | 'type';
  claimed: (action: string) => void;
  close: () => void;
  failed: (failure: Failure) => boolean;
};

type At = { at: 'scan' | 'type' | 'asking'; failure?: Failure; round: number };

/** Until a page's request is this phone's. `failed` says whether somebody else takes the failure. */
export function ClaimPage({ texts, server, first, claimed, close, failed }: ClaimProps) {
  const { t, c, language } = texts;
  const [page, setPage] = useState<At>({ at: typeof first === 'string' ? first : 'asking', round: 0 });
  const go = (at: At['at'], failure?: Failure) =>
    setPage(({ round }) => ({ at, round: round + 1, ...(failure ? { failure } : {}) }));

  const claim = async (claim: PageClaim, otherwise: 'scan' | 'type', quietly = false): Promise<boolean> => {
    if (!quietly) go('asking');
    const result = await server.claim(claim);
    if (result.ok) {
      claimed(result.value.action);
      return true;
    }
    if (failed(result.failure)) return true;
    // The camera sees the next code before a person has read that this one was too old.
    if (quietly && result.failure.outcome === 'qr_too_old') return false;
    go(otherwise, result.failure);
    return true;
  };

  useEffect(() => {
    if (typeof first !== 'string') void claim(first, first.by === 'address' ? 'scan' : 'type');
  }, []);

  const failure = page.failure && <FailureNotice failure={page.failure} language={language} c={c} />;
  const ways = (other: 'scan' | 'type') => (
    <div class="row">
      <button class="button" onClick={() => go(other)} data-test={other === 'scan' ? 'scan' : 'type-code'}>
        {t(other === 'scan' ? 'button.scan' : 'button.type_code')}
      </button>
      <button class="button plain" onClick={close} data-test="back">
        {c('button.back')}
      </button>
    </div>
  );
  switch (page.at) {
    case 'asking':
      return (
        <>
          <Heading>{t('entry.heading')}</Heading>
          <Busy text={c('loading')} />
        </>
      );
    case 'scan':
      return (
        <>
          <Heading>{t('scan.heading')}</Heading>
          {failure}
          <Scanner key={page.round} texts={texts} seen={(value) => claim(value, 'scan', true)} />
          {ways('type')}
        </>
      );
    case 'type':
      return (
        <>
          <Heading>{t('type.heading')}</Heading>
          {failure}
          <TypeCode texts={texts} typed={(value) => void claim({ by: 'code', value }, 'type')} />
          {ways('scan')}
        </>
      );
  }
}

function TypeCode({ texts: { t }, typed }: { texts: Texts; typed: (code: string) => void }) {
  const [code, setCode] = useState('');
  const [missing, setMissing] = useState('');
  return (
    <form
      class="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (code.replace(/[\s-]/g, '').length !== 8) return setMissing(t('type.missing'));
        typed(code);
      }}
    >
      <p class="soft">{t('type.lead')}</p>
      <TextField
        field={{ id: 'short-code', label: t('type.label'), ...(missing ? { error: missing } : {}) }}
        name="short-code"
        type="text"
        value={code}
        autocomplete="off"
        autocapitalize="characters"
        spellcheck={false}
        maxLength={12}
        onInput={(event) => setCode(event.currentTarget.value)}
      />
      <Notice kind="warn">
        <p>{t('entry.warning')}</p>
      </Notice>
      <button class="button main" data-test="next">
        {t('button.next')}
      </button>
    </form>
  );
}

// ---- the camera ----------------------------------------------------------------------------------------------------------------

type Detector = { detect(image: CanvasImageSource): Promise<{ rawValue: string }[]> };

/** The browser's own detector of QR codes, or ours where it has none. */
async function makeDetector(): Promise<Detector> {
  const native = (globalThis as { BarcodeDetector?: { new (options: object): Detector } & { getSupportedFormats(): Promise<string[]> } })
    .BarcodeDetector;
  if (native && (await native.getSupportedFormats().catch(() => [] as string[])).includes('qr_code'))
    return new native({ formats: ['qr_code'] });
  const { decodeQR } = await import('./decode.ts');
  const canvas = document.createElement('canvas');
  return {
    async detect(image) {
      const video = image as HTMLVideoElement;
      // A QR code in the middle of a phone's picture needs no more than this many points.
      const scale = Math.min(1, 720 / Math.max(video.videoWidth, video.videoHeight));
      canvas.width = Math.round(video.videoWidth * scale);
      canvas.height = Math.round(video.videoHeight * scale);
      const context = canvas.getContext('2d', { willReadFrequently: true })!;
      context.drawImage(video, 0, 0, canvas.width, canvas.height);
      try {
        return [{ rawValue: decodeQR(context.getImageData(0, 0, canvas.width, canvas.height)) }];
      } catch {
        return []; // no code in this picture
      }
    },
  };
}

type Camera = 'starting' | 'on' | 'denied' | 'missing' | 'unloaded';

/** Shows what the camera sees until `seen` says that a code was one of ours and good. */
function Scanner({ texts, seen }: { texts: Texts; seen: (claim: PageClaim) => Promise<boolean> }) {
  const { t, c } = texts;
  const video = useRef<HTMLVideoElement>(null);
  const [camera, setCamera] = useState<Camera>('starting');
  const [foreign, setForeign] = useState(false);
  const take = useRef(seen);
  take.current = seen;

  useEffect(() => {
    let stopped = false;
    let stream: MediaStream | null = null;
    const run = async () => {
      if (!navigator.mediaDevices) return setCamera('missing');
      try {
        stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' }, audio: false });
      } catch (error) {
        return setCamera((error as DOMException).name === 'NotAllowedError' ? 'denied' : 'missing');
      }
      const shown = video.current;
      if (stopped || !shown) return stream.getTracks().forEach((track) => track.stop());
      shown.srcObject = stream;
      await shown.play().catch(() => undefined);
      setCamera('on');
      const detector = await makeDetector().catch(() => null);
      if (!detector) {
        stream.getTracks().forEach((track) => track.stop());
        return setCamera('unloaded');
      }
      let last = '';
      while (!stopped) {
        if (shown.videoWidth > 0) {
          const [code] = await detector.detect(shown).catch(() => []);
          if (stopped) return;
          if (code && code.rawValue !== last) {
            last = code.rawValue;
            const claim = claimOfAddress(code.rawValue, location.origin, 'scan');
            setForeign(!claim);
            if (claim && (await take.current(claim))) return;
          }
        }
        await new Promise((done) => setTimeout(done, 80));
      }
    };
    void run();
    return () => {
      stopped = true;
      stream?.getTracks().forEach((track) => track.stop());
    };
  }, []);

  if (camera === 'unloaded') return <Reload texts={texts} />;
  if (camera === 'denied' || camera === 'missing')
    return (
      <Notice kind="bad" role="alert" data-test="no-camera" data-camera={camera}>
        <p>{t(camera === 'denied' ? 'scan.denied' : 'scan.missing')}</p>
      </Notice>
    );
  return (
    <>
      <p class="soft">{t('scan.lead')}</p>
      <video class="scanner" ref={video} muted playsInline aria-label={t('scan.picture')} data-test="scanner" data-camera={camera} />
      <p role="status">{foreign ? t('scan.foreign') : camera === 'starting' ? c('loading') : ''}</p>
      <Notice kind="warn">
        <p>{t('entry.warning')}</p>
      </Notice>
    </>
  );
}
