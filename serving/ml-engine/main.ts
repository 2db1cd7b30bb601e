import { environmentVariables } from '../../lib/config/environment.ts';
import { serve } from '../server.ts';
import { modelRoutes } from './routes.ts';

/**
 * The smallest stand-in for ml-engine: it answers questions by a tenant's live model (`/query`, `/passage`). The real one is the customer's.
 * With `STATE_DIR` it reads the state directory of an embedded control plane, otherwise AWS.
 */
const variables = environmentVariables();
const { STATE_DIR: stateDir } = variables;
const models =
  stateDir === undefined
    ? (await import('./from-aws.ts')).modelsOnAws(variables)
    : (await import('./from-state.ts')).modelsOfState(stateDir);
serve({ service: 'ml-engine', routes: modelRoutes(models) });
