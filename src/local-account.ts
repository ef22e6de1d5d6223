import { homedir, userInfo } from "node:os";

/** The account that the program runs as: a uid has no name and no home of its own where passwd does not list it. */
export function localAccount(): { readonly name: string; readonly home: string } | undefined {
  try {
    const { username, homedir: home } = userInfo();
    return { name: username, home };
  } catch {
    return undefined;
  }
}

/** `HOME`, else the account's home, else the root folder, as docker has it for a uid without an account. */
export function homeFolder(): string {
  try {
    return homedir();
  } catch {
    return "/";
  }
}
