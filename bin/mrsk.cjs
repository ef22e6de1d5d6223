#!/usr/bin/env node
// Node of any age reads this file to say that it is too old: nothing newer than ES5 here.
var oldest = 22;
if (parseInt(process.version.slice(1), 10) < oldest) {
  console.error("mrsk needs Node " + oldest + " or newer, and this is " + process.version + ": https://nodejs.org");
  process.exitCode = 2;
} else {
  var nodeModule = require("module");
  if (nodeModule.enableCompileCache) nodeModule.enableCompileCache();
  require("../dist/cli.cjs").start();
}
