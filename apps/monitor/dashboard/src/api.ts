// Requests to the API. Reads may be asked again; a write carries a key of its own, so asking twice acts once.

const BASE = "/api/v1";

export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export async function read<Answer>(path: string): Promise<Answer> {
  return answer(await fetch(BASE + path, { headers: { Accept: "application/json" } }));
}

export async function write<Answer>(path: string, body: object, method = "POST"): Promise<Answer> {
  const headers = {
    Accept: "application/json",
    "Content-Type": "application/json",
    "X-CSRFToken": cookie("csrftoken"),
    "Idempotency-Key": crypto.randomUUID(),
  };
  return answer(await fetch(BASE + path, { method, headers, body: JSON.stringify(body) }));
}

async function answer<Answer>(response: Response): Promise<Answer> {
  if (response.status === 204) return undefined as Answer;
  const told: unknown = await response.json().catch(() => null);
  if (response.ok) return told as Answer;
  const detail = (told as { detail?: string } | null)?.detail;
  throw new Refused(response.status, detail ?? `the platform answers ${response.status}`);
}

function cookie(name: string): string {
  const found = document.cookie.split("; ").find((part) => part.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
}
