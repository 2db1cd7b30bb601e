import { conclude } from '../debian.ts';
import { compareWithGensim } from './compare.ts';

/** `npm run test:conformance:gensim`: training here beside gensim's Word2Vec, on one core each. */
const most = 1.2;

const compared = await compareWithGensim();
if ('notMeasured' in compared) conclude(0, [], compared.notMeasured);
else {
  process.stdout.write(`${JSON.stringify(compared, null, 2)}\n`);
  const { timesItsCpuSeconds: times } = compared;
  conclude(
    1,
    times <= most
      ? []
      : [`training took ${times.toFixed(2)} times gensim's processor time, ${most} is the most`],
  );
}
