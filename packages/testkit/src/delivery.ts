/**
 * The delivery checker by itself, for programs that run without a test runner.
 *
 * @module
 */
export { DeliveryChecker } from './delivery-checker.js';
export { type DeliveryVerdict, type FailedPublish, faultsOf, type Stamp } from './delivery-verdict.js';
