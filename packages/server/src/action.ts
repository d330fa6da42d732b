import { AGAction } from './middleware/action.js';

/**
 * The class of middleware actions, at the path that tools import it from.
 *
 * @module
 */
export { AGAction };
export default AGAction;
// What require() of this path gives: the class itself.
export { AGAction as 'module.exports' };
