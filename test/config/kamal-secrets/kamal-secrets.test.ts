import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Secrets } from "../../../src/config/env/secrets.ts";
import { KamalSecrets } from "../../../src/config/kamal-secrets/kamal-secrets.ts";
import { extractSecret, readFetch } from "../../../src/config/kamal-secrets/secrets-command.ts";
import { project } from "../../support/cli.ts";

const PATH = process.env["PATH"]!;

type Environment = Readonly<Record<string, string>>;

function open(
  files: Readonly<Record<string, string>>,
  {
    destination,
    environment = {},
    path = ".kamal/secrets",
    verbose = false,
  }: {
    destination?: string;
    environment?: Environment;
    path?: string;
    verbose?: boolean;
  } = {},
): KamalSecrets & { folder: string } {
  const folder = project(files);
  const source = { cwd: folder, path, destination, processEnvironment: { PATH, ...environment }, verbose };
  return Object.assign(new KamalSecrets(source), { folder });
}

/** The value of X in a file of this text. */
const valueOf = (text: string, environment: Environment = {}) =>
  open({ ".kamal/secrets": text }, { environment }).get("X");

/** With these programs on the PATH, each given as a shell script. */
function openWithTools(text: string, tools: Readonly<Record<string, string>>): ReturnType<typeof open> {
  const scripts = Object.entries(tools).map(([name, body]) => [`hooks/${name}`, `#!/bin/sh\n${body}`]);
  const files = { ".kamal/secrets": text, ...(Object.fromEntries(scripts) as Record<string, string>) };
  const folder = project(files);
  const processEnvironment = { PATH: `${folder}/hooks:${PATH}` };
  const source = { cwd: folder, path: ".kamal/secrets", destination: undefined, processEnvironment, verbose: false };
  return Object.assign(new KamalSecrets(source), { folder });
}

const FETCH = "kamal secrets fetch --adapter test --account me";

describe("a line is read as by Ruby's dotenv 3", () => {
  test.each([
    ["X=1", "1"],
    ["export X=1", "1"],
    ["X: 1", "1"],
    ["X = 1", "1"],
    ["  X=a b  ", "a b"],
    ["X", ""],
    ["X=", ""],
    ["X=\nY=1", ""],
    ["X=1\nexport X", "1"],
    ["this is no statement\nX=1", "1"],
    ["#X=1", undefined],
    ["Y=1", undefined],
    ["X=x #c", "x"],
    ["X=x#c", "x"],
    ['X="x#c"', "x#c"],
    ['X="x#c" # comment', "x#c"],
    ["X='$Y $(y)'", "$Y $(y)"],
    [String.raw`X="a\nb"`, String.raw`a\nb`],
    [String.raw`X="a\\nb"`, String.raw`a\nb`],
    [String.raw`X=a\nb`, "anb"],
    ['X="a\nb"', "a\nb"],
    ["X='a\nb'", "a\nb"],
    [String.raw`X=a\bc`, "abc"],
    [String.raw`X=\$Y`, "$Y"],
    [String.raw`X="\$Y"`, "$Y"],
    ["Y=y\nX=$Y-${Y}", "y-y"],
    ["X=$Y\nY=later", ""],
    ["X=1\nX=${X}2", "12"],
    ["X=1\nX=2", "2"],
    ["X=$P", "from the process"],
    ["P=from the file\nX=$P", "from the file"],
    ["X=`not run`", "`not run`"],
    ["X=$", "$"],
    ["X=$(echo hi)", "hi"],
    ["X=a$(echo hi)b$(echo ho)", "ahibho"],
    ["X=$(printf 'a\\n\\n')", "ann"],
    ["X='$(echo hi)'", "$(echo hi)"],
    [String.raw`X=\$(echo hi)`, "$(echo hi)"],
    ["X=$(echo $(echo deep))", "deep"],
    ["X=$(echo () )", "$(echo () )"],
    ["X=$(echo", "$(echo"],
    ["X=$(echo $(echo hi)", "$(echo hi"],
    ["X=) $(echo hi)", ") hi"],
    ['X="$(echo "a b")"', "a b"],
    ["Y=y\nX=$(echo $Y)", "y"],
    [String.raw`X=$(P=shell; echo \$P)`, "from the process"],
    ['DOTENV_LINEBREAK_MODE=legacy\nX="a\\nb"', "a\nb"],
    ["\r\nX=1\r\nY=2", "1"],
  ])("%j", async (text, value) => {
    expect(await valueOf(text, { P: "from the process" })).toBe(value);
  });

  test("the backslash of a bracket is removed before the search for the end of a command", async () => {
    await expect(valueOf(String.raw`X=$(echo '\)')`)).rejects.toThrow("failed (exit status 2)");
  });

  test("export without a value is an error, unless the name has one above", () => {
    expect(() => open({ ".kamal/secrets": "A=1\n  export X\n" })).toThrow(
      ".kamal/secrets:2:3: export X has no value: write X=value, or X=$X",
    );
  });
});

describe("the files", () => {
  const files = {
    ".kamal/secrets-common": "A=common\nB=common\nC=$(echo $A)",
    ".kamal/secrets": "B=plain\nD=$A",
    ".kamal/secrets.staging":
      'B=staging\nE=$KAMAL_DESTINATION\nF=$(echo $KAMAL_DESTINATION "$(printenv KAMAL_DESTINATION A VERBOSE)")',
  };

  test("the plain file wins over -common, and does not see its names", async () => {
    const secrets = open(files);
    expect(secrets.files).toEqual([".kamal/secrets-common", ".kamal/secrets"]);
    expect([...(await secrets.evaluateAll()).values]).toEqual([
      ["A", "common"],
      ["B", "plain"],
      ["C", "common"],
      ["D", ""],
    ]);
  });

  test("with a destination, its file is read in place of the plain file, and commands get the destination", async () => {
    const environment = { KAMAL_DESTINATION: "other" };
    const secrets = open(files, { destination: "staging", environment, verbose: true });
    expect([...(await secrets.evaluateAll()).values.keys()]).toEqual(["A", "B", "C", "E", "F"]);
    expect(await secrets.get("B")).toBe("staging");
    expect(await secrets.get("E")).toBe("staging");
    expect(await secrets.get("F")).toBe("staging staging\n1");
    expect(await open({ ".kamal/secrets": "X=[$KAMAL_DESTINATION]" }, { environment }).get("X")).toBe("[]");
  });

  test("a file wins over the process, and a name that is in no file does not exist", async () => {
    const secrets = open({ ".kamal/secrets": "A=file" }, { environment: { A: "process", B: "process" } });
    expect(await secrets.get("A")).toBe("file");
    await expect(new Secrets(secrets).resolve([{ name: "B", requiredBy: "env/secret" }])).rejects.toThrow(
      "B is not in .kamal/secrets (required by env/secret)",
    );
    const none = open({}, { destination: "staging" });
    await expect(new Secrets(none).resolve([{ name: "B", requiredBy: "env/secret" }])).rejects.toThrow(
      "B is not set: there is neither .kamal/secrets-common nor .kamal/secrets.staging (required by env/secret)",
    );
  });

  test("secrets_path names other files", async () => {
    const secrets = open({ "deploy/s-common": "A=1", "deploy/s": "B=2" }, { path: "deploy/s" });
    expect([...(await secrets.evaluateAll()).values.keys()]).toEqual(["A", "B"]);
  });

  test("an empty value is a secret", async () => {
    const secrets = new Secrets(open({ ".kamal/secrets": "A=$NOPE" }));
    const found = await secrets.resolve([{ name: "A", requiredBy: "env/secret" }]);
    expect(found.get("A")!.reveal()).toBe("");
  });
});

describe("commands", () => {
  test("run once, one at a time, and only for a value that is needed", async () => {
    const log = (name: string) => `$(echo begin ${name} >>log; sleep 0.05; echo end ${name} >>log; echo ${name})`;
    const secrets = open({ ".kamal/secrets": `A=${log("a")}\nB=${log("b")}\nC=$A$B\nD=${log("d")}\n` });
    expect(existsSync(join(secrets.folder, "log"))).toBe(false);
    expect(await Promise.all([secrets.get("C"), secrets.get("A"), secrets.get("B"), secrets.get("C")])).toEqual([
      "ab",
      "a",
      "b",
      "ab",
    ]);
    expect(readFileSync(join(secrets.folder, "log"), "utf8")).toBe("begin a\nend a\nbegin b\nend b\n");
  });

  test("a failure has the line, the program, its exit status and its output, without secrets", async () => {
    const text =
      "PASSWORD=hunter2hunter2\nX=$(sh -c 'echo no entry for \"$*\" >&2; exit 3' sh $PASSWORD $TOKEN_OF_ENV)";
    const failure = open({ ".kamal/secrets": text }, { environment: { TOKEN_OF_ENV: "t0k3n-of-env" } }).get("X");
    await expect(failure).rejects.toMatchObject({
      exitCode: 3,
      message: ".kamal/secrets:2:1: X: $(sh …) failed (exit status 3): no entry for [REDACTED] [REDACTED]",
    });
  });

  test("a failed command is an error of each value that uses it", async () => {
    const secrets = open({ ".kamal/secrets": "S=$(nosuch-program --all)\nA=$S\nB=1" });
    for (const name of ["S", "A"]) {
      await expect(secrets.get(name)).rejects.toThrow(
        ".kamal/secrets:1:1: S: $(nosuch-program …) failed (exit status 127): /bin/sh: 1: nosuch-program: not found",
      );
    }
    expect(await secrets.get("B")).toBe("1");
  });

  test("no argument of a process contains the line", async () => {
    const seen = await valueOf(
      "S=top-secret-value\nX=$(: $S; cat /proc/\\$PPID/task/*/children >/dev/null; tr '\\0' ' ' </proc/\\$\\$/cmdline)",
    );
    expect(seen).toMatch(/^\/bin\/sh\W+-c/);
    expect(seen).not.toContain("top-secret-value");
  });

  test("a long chain of names is no deep recursion", async () => {
    const lines = Array.from({ length: 5000 }, (_, i) => `A${i + 1}=$A${i}`);
    expect(await open({ ".kamal/secrets": ["A0=end", ...lines].join("\n") }).get("A5000")).toBe("end");
  });
});

describe("kamal secrets inside a file", () => {
  test.each([
    [`X=$(${FETCH} ABC)`, String.raw`\{\"ABC\":\"CBA\"\}`],
    [`X=$(mrsk secrets fetch --adapter test --account me ABC)`, String.raw`\{\"ABC\":\"CBA\"\}`],
    [`X=$( kamal  secrets fetch ABC -a=test --account=me)`, String.raw`\{\"ABC\":\"CBA\"\}`],
    [`X=$(${FETCH} --from V/I ABC)`, String.raw`\{\"V/I/ABC\":\"CBA/I/V\"\}`],
    [`S=$(${FETCH} ABC)\nX=$(kamal secrets extract ABC $S)`, "CBA"],
    [`S=$(${FETCH} --from V ABC)\nX=$(kamal secrets extract ABC $S)`, "CBA/V"],
    [`S=$(${FETCH} "a b" 'c"d')\nX=$(kamal secrets extract 'c"d' $S)`, 'd"c'],
    [`S=$(${FETCH} LPARENaRPAREN)\nX=$(kamal secrets extract "LPARENaRPAREN" $S)`, ")a("],
    [`X=$(${FETCH} ABC | jq)`, String.raw`\{\"ABC\":\"CBA\",\"\|\":\"\|\",\"jq\":\"qj\"\}`],
    [`S=$(bin/kamal secrets fetch -a test --account me ABC)\nX=$S`, '{"ABC":"CBA"}'],
    [`X=$(./bin/kamal secrets fetch -a test --account me ABC)`, '{"ABC":"CBA"}'],
    [`X=$(bundle exec kamal secrets fetch -a test --account me ABC)`, '{"ABC":"CBA"}'],
  ])("%s", async (text, value) => {
    expect(await valueOf(text)).toBe(value);
  });

  test("a command within the arguments is text, as in Kamal", async () => {
    const text = `X=$(kamal secrets extract ABC $(${FETCH} ABC))`;
    await expect(valueOf(text)).rejects.toThrow("kamal: expected a name and the output of secrets fetch");
  });

  test("values with dollars, quotes, backslashes and brackets survive fetch and extract", async () => {
    const values = [
      "a$(b)c",
      "$PATH",
      String.raw`a\nb\\c`,
      `it's "q"`,
      "a`b`c",
      "ä€😀",
      "#x",
      "${A}",
      "a\nb",
      String.raw`\$A`,
    ];
    const answer = Object.fromEntries(values.map((value, index) => [`K${index}`, { computed: value }]));
    const fetch = `S=$(kamal secrets fetch -a doppler --from a/b ${Object.keys(answer).join(" ")})`;
    const extracts = values.map((_, index) => `X${index}=$(kamal secrets extract K${index} $S)`);
    const secrets = openWithTools([fetch, ...extracts].join("\n"), {
      doppler: `cat <<'END'\n${JSON.stringify(answer)}\nEND\n`,
    });
    expect([...(await secrets.evaluateAll()).values.values()].slice(1)).toEqual(values);
  });

  test.each([
    ["X=$(kamal secrets fetch A)", "kamal: --adapter is missing"],
    ["X=$(kamal secrets fetch A --adapter test)", "kamal: the adapter test needs --account"],
    [
      "X=$(kamal secrets fetch A --adapter bitwardn)",
      "there is no secrets adapter bitwardn. Did you mean one of bitwarden, bitwarden-sm?",
    ],
    ["X=$(kamal secrets fetch A --adapter vault)", "The adapters are 1password, one_password"],
    ["X=$(kamal secrets extract A)", "expected a name and the output of secrets fetch"],
    [`S=$(${FETCH} B)\nX=$(kamal secrets extract A $S)`, "could not find secret A: there is B"],
    ["X=$(kamal secrets print)", "kamal: secrets print cannot run inside a secrets file"],
    ["X=$(kamal secrets help me)", "expected fetch or extract"],
    ["X=$(kamal secrets fetch 'A)", "a quote is left open"],
  ])("%s is an error with its line", async (text, message) => {
    const failure = valueOf(text);
    await expect(failure).rejects.toMatchObject({ exitCode: 3 });
    await expect(failure).rejects.toThrow(message);
    await expect(failure).rejects.toThrow(/^\.kamal\/secrets:\d:1: X: /);
  });

  test("a shell carries out the other forms, where kamal is this program", async () => {
    const kamal = `echo "kamal $*"`;
    const lines = [
      "A=1 kamal secrets fetch B | cat",
      "cd . && bin/kamal secrets fetch B",
      "bundle exec kamal secrets fetch $(echo B)",
    ];
    for (const line of lines) {
      expect(await openWithTools(`X=$(${line})`, { kamal }).get("X")).toBe("kamal secrets fetch B");
    }
  });

  test("equal fetches of several values run once", async () => {
    const fetch = "kamal secrets fetch -a doppler --from app/prd A";
    const secrets = openWithTools(`A=$(${fetch})\nB=$(${fetch})\n`, {
      doppler: `echo "$*" >>calls\n[ "$1" = me ] || echo '{"A":{"computed":"a-value"}}'\n`,
    });
    await secrets.evaluateAll();
    expect(readFileSync(join(secrets.folder, "calls"), "utf8")).toBe("me --json\nsecrets get A --json -p app -c prd\n");
    expect(secrets.resolved.map((secret) => secret.reveal())).toContain("a-value");
  });
});

test("a note for each value that loses a part, since a name is not set", () => {
  const text = "A=$SET\nB=$NOPE and ${NO}\nC='$NOPE'\nD=$(awk '{print $1}' file)\nE=\\$NOPE\nF=$A";
  expect(open({ ".kamal/secrets": text }, { environment: { SET: "" } }).notes).toEqual([
    ".kamal/secrets:2:1: B: $NOPE, $NO is not set, and is replaced by nothing: for a literal dollar sign, write \\$",
    ".kamal/secrets:4:1: D: $1 is not set, and is replaced by nothing: for a literal dollar sign, write \\$",
  ]);
});

test("options of fetch may be anywhere among the names", () => {
  expect(
    readFetch(["A", "--adapter", "x", "B", "--from=p/q=r", "-d", "staging", "--inline", "--account", "me"]),
  ).toEqual({
    names: ["A", "B"],
    adapter: "x",
    from: "p/q=r",
    account: "me",
  });
});

test.each([
  ['{"A":"1","x/A":"2"}', "1"],
  ['{"x/A":"2"}', "2"],
  ['{"A":3}', "3"],
])("extract A from %s", (json, value) => {
  expect(extractSecret("A", json)).toBe(value);
});

test.each(["{", "[1]", "null", '{"A":null}'])("extract A from %s is an error without the text", (json) => {
  expect(() => extractSecret("A", json)).toThrow(/no JSON object|could not find secret A/);
});
