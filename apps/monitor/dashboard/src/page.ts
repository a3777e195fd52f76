// What the server wrote into the page: who looks at it, and what this person may do.

export interface Page {
  person: string;
  realMoney: boolean;
  flower: string;
  /** What may be pressed; the API asks again when it is. */
  may: string[];
  /** Whether who looks is too far away for what may cost money. */
  far: boolean;
  limitKinds: Record<string, string>;
}

const element = document.getElementById("settings");
export const page: Page = JSON.parse(element?.textContent ?? "{}") as Page;

export function may(what: string): boolean {
  return page.may.includes(what);
}
