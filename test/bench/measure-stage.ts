import { writeFileSync } from 'node:fs';

/** Loaded before a stage (`--import`): at its end writes its largest memory (MiB) and its processor seconds to EPSILON_MEASURE_PATH. */
process.on('exit', () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  writeFileSync(
    process.env['EPSILON_MEASURE_PATH'] ?? '/dev/null',
    JSON.stringify({ mebibytes: maxRSS / 1_024, cpuSeconds: (userCPUTime + systemCPUTime) / 1e6 }),
  );
});
