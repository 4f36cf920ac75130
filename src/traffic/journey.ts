/** The journeys: which requests a visitor sends, in order. */
import type { JourneyName } from '../scenario/scenario.js';
import type { JourneyStep } from './engine.js';

const VIEW: JourneyStep = { name: 'view-event', method: 'GET', path: '/event', body: '' };

const JOURNEYS: Record<JourneyName, JourneyStep[]> = {
  'buy-ticket': [
    VIEW,
    { name: 'hold-seat', method: 'POST', path: '/seats', body: '' },
    { name: 'checkout', method: 'POST', path: '/checkout', body: '' },
  ],
  'view-event': [VIEW],
  // The request goes out at once; what makes it `hold` is that the connection is kept afterwards.
  hold: [VIEW],
};

/** The requests of a journey. */
export function journeySteps(name: JourneyName): JourneyStep[] {
  return JOURNEYS[name].map((step) => ({ ...step }));
}
