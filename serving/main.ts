import { serve } from './server.ts';

/** The smallest stand-in for backend-api: what manifests, analyses and alerts ask of it. The real one is the customer's. */
serve({ service: 'backend-api' });
