import { afterAll } from 'vitest';
import { removeFreshDirs } from './fresh-dir.ts';

/** Runs before every test file: no test may reach a real account through the machine's own credentials. */
delete process.env['AWS_PROFILE'];
delete process.env['AWS_SESSION_TOKEN'];
process.env['AWS_ACCESS_KEY_ID'] = 'test';
process.env['AWS_SECRET_ACCESS_KEY'] = 'test';
process.env['AWS_REGION'] = 'us-west-2';
process.env['AWS_EC2_METADATA_DISABLED'] = 'true';

afterAll(removeFreshDirs);
