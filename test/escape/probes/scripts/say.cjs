// Ends a probe in Node: prints what was got, or the name of the errno that stopped it.
exports.attack = (way) => {
  try {
    process.stdout.write(String(way()));
  } catch (error) {
    process.stderr.write(`${error.code ?? error.message}\n`);
    process.exitCode = 1;
  }
};
