/** The rooms the page offers; any other name may be typed. */
export const SUGGESTED_ROOMS: readonly string[] = ['lobby', 'ideas', 'members'];

/** The room that needs a login. */
export const MEMBERS_ROOM = 'members';
