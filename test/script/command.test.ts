import { expect, test } from "vitest";
import {
  and,
  anyway,
  Assignment,
  docker,
  lines,
  pipe,
  quote,
  raw,
  redact,
  sh,
  silently,
  withEnvironment,
} from "../../src/script/command.ts";
import { Secret } from "../../src/config/env/secret.ts";
import { run } from "../support/fake-commands.ts";
import { line } from "../support/config.ts";

const token = new Secret("TOKEN", "s3cr3t");

test.each([
  ["plain-1.2/x:y@z,a=b%c+d_e", "plain-1.2/x:y@z,a=b%c+d_e"],
  ["", "''"],
  ["a b", "'a b'"],
  ["it's", String.raw`'it'\''s'`],
  ['$x `y` \\ " !', "'$x `y` \\ \" !'"],
  ["~", "'~'"],
  ["é\n", "'é\n'"],
])("%j is quoted as %s", (word, expected) => {
  expect(quote(word)).toBe(expected);
});

test("words are quoted, raw text is not, operators join commands", () => {
  expect(line(and(docker("ps", "a b"), ["echo", raw('"$x"')]))).toBe(`docker ps 'a b' && echo "$x"`);
  expect(line(pipe(["a"], ["b"]))).toBe("a | b");
  expect(line(silently(["a"]))).toBe("a >/dev/null 2>&1");
  expect(line(docker("run", undefined, false, "-t", 5))).toBe("docker run -t 5");
});

test("values in a piece of shell are quoted, commands and other pieces rendered", () => {
  const inner = sh`echo ${"it's"}`;
  expect(line(sh`if ${docker("ps", "a b")}; then ${inner}; fi \n`)).toBe(
    String.raw`if docker ps 'a b'; then echo 'it'\''s'; fi \n`,
  );
  expect(line(lines(["a"], sh`b`))).toBe("a\nb");
  expect(line(lines())).toBe(":");
});

test("a secret is a reference in a script, and [REDACTED] in a log", () => {
  const command = withEnvironment([["TOKEN", token]], docker("login", token, new Assignment("A", "b c")));
  expect(line(command)).toBe("TOKEN=<TOKEN> docker login <TOKEN> A='b c'");
  expect(redact(command)).toBe("docker login [REDACTED] A='b c'");
  expect(redact(sh`echo ${token}`)).toBe("echo [REDACTED]");
});

test("anyway ignores a failure", () => {
  expect(run(anyway(["false"])).status).toBe(0);
});
