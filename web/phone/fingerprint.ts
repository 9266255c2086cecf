// The passkey of the fingerprint: what the browser's WebAuthn is asked, and its answers as the device protocol carries them
// (docs/device-protocol.md §4, §5). The device key signs beside it; a passkey alone approves nothing.

import { b64, unb64, type Bytes } from '../shared/bytes.ts';
import { byteList } from '../shared/device-protocol.ts';

/** Longer than a holder takes, shorter than an action lives. */
const patience = 60_000;

/** ES256, EdDSA, RS256 (COSE). */
const algorithms = [-7, -8, -257];

/** Whether this phone can verify its holder by itself. */
export async function hasFingerprint(): Promise<boolean> {
  try {
    return await PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable();
  } catch {
    return false;
  }
}

export type NewPasskey = { id: string; passkey: Bytes };

/** A new passkey; null when the holder or the phone didn't want to. `name`: what the phone's own dialogs call it. */
export async function makePasskey(challenge: Bytes, did: string, name: string): Promise<NewPasskey | null> {
  try {
    const made = (await navigator.credentials.create({
      publicKey: {
        challenge,
        rp: { id: location.hostname, name: 'Symbolon' },
        user: { id: unb64(did)!, name, displayName: name },
        pubKeyCredParams: algorithms.map((alg) => ({ type: 'public-key', alg })),
        authenticatorSelection: {
          authenticatorAttachment: 'platform',
          residentKey: 'discouraged',
          userVerification: 'required',
        },
        attestation: 'none',
        timeout: patience,
      },
      signal: AbortSignal.timeout(patience),
    })) as PublicKeyCredential | null;
    if (!made) return null;
    const { attestationObject, clientDataJSON } = made.response as AuthenticatorAttestationResponse;
    return {
      id: b64(new Uint8Array(made.rawId)),
      passkey: byteList(new Uint8Array(attestationObject), new Uint8Array(clientDataJSON)),
    };
  } catch {
    return null;
  }
}

/** p of an answer: the passkey's assertion over `challenge`; null when the holder or the phone didn't want to. */
export async function usePasskey(id: string, challenge: Bytes): Promise<Bytes | null> {
  try {
    const used = (await navigator.credentials.get({
      publicKey: {
        challenge,
        rpId: location.hostname,
        allowCredentials: [{ type: 'public-key', id: unb64(id)!, transports: ['internal'] }],
        userVerification: 'required',
        timeout: patience,
      },
      signal: AbortSignal.timeout(patience),
    })) as PublicKeyCredential | null;
    if (!used) return null;
    const { authenticatorData, clientDataJSON, signature } = used.response as AuthenticatorAssertionResponse;
    const parts = [used.rawId, authenticatorData, clientDataJSON, signature];
    return byteList(...parts.map((part) => new Uint8Array(part)));
  } catch {
    return null;
  }
}
