/** The image of testcontainers' reaper. To be imported before testcontainers, which reads the environment when it is loaded. */

/** Our own image, by the one name that stays when its content changes. */
export const OWN_REAPER = 'portparty/reaper:latest';

/** What runs as the reaper: ours, or the one that the user's environment names. */
export const REAPER_IMAGE = process.env.RYUK_CONTAINER_IMAGE ?? OWN_REAPER;

process.env.RYUK_CONTAINER_IMAGE = REAPER_IMAGE;
