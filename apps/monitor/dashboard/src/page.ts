// What the server wrote into the page: who looks at it, and what this person may do.

export interface Page {
  person: string;
  realMoney: boolean;
  flower: string;
  may: string[];
}

const element = document.getElementById("settings");
export const page: Page = JSON.parse(element?.textContent ?? "{}") as Page;

export function may(what: string): boolean {
  return page.may.includes(what);
}
