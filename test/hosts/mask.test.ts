import fc from "fast-check";
import { expect, test } from "vitest";
import { Secret } from "../../src/config/secret.ts";
import { Mask } from "../../src/hosts/mask.ts";

const mask = (...values: string[]) => new Mask(values.map((value) => new Secret("NAME", value)));

test("whole values, each of their lines, and what JSON makes of them", () => {
  const key = mask("-----BEGIN\nline one\nline two", 'say "hi"');
  expect(key.text("a line one b")).toBe("a [REDACTED] b");
  expect(key.text(String.raw`{"NAME":"say \"hi\""}`)).toBe('{"NAME":"[REDACTED]"}');
});

test("what is shorter than four characters stays, or half of every text would go", () => {
  expect(mask("abc", "1").text("abcdef 1")).toBe("abcdef 1");
  expect(mask("abcd").text("abcdef")).toBe("[REDACTED]ef");
});

test("a value is found however its text was cut", () => {
  const value = fc.string({ minLength: 4, maxLength: 12 }).filter((text) => text.trim().length >= 4);
  const property = fc.property(value, fc.string(), fc.string(), fc.array(fc.nat(60)), (secret, before, after, cuts) => {
    const text = before + secret + after;
    const places = [0, ...cuts.filter((cut) => cut < text.length).toSorted((a, b) => a - b), text.length];
    const take = mask(secret).stream();
    const shown = places.slice(1).map((end, i) => take(text.slice(places[i], end)));
    expect([...shown, take()].join("")).toBe(mask(secret).text(text));
  });
  fc.assert(property);
});

test("text that begins like a value and goes on differently is not lost", () => {
  const take = mask("password-1").stream();
  expect([take("a passwo"), take("rd is wrong"), take()].join("")).toBe("a password is wrong");
});

test("nothing is held back that cannot be the beginning of a value", () => {
  expect(mask("secret").stream()("Enter your name: ")).toBe("Enter your name: ");
});
