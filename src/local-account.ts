import { homedir, userInfo } from "node:os";

/** The account that the program runs as; undefined if /etc/passwd does not list its uid. */
export function localAccount(): { readonly name: string; readonly home: string } | undefined {
  try {
    const { username, homedir: home } = userInfo();
    return { name: username, home };
  } catch {
    return undefined;
  }
}

/** `HOME`, otherwise the account's home, otherwise `/`, as docker sets it for a uid without an account. */
export function homeFolder(): string {
  try {
    return homedir();
  } catch {
    return "/";
  }
}
