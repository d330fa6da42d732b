import type { Deployment, StatefulSet } from 'kubernetes-types/apps/v1.js';
import type { ConfigMap, Container, Namespace, PodSpec, Service } from 'kubernetes-types/core/v1.js';
import type { Ingress, NetworkPolicy } from 'kubernetes-types/networking/v1.js';
import type { PodDisruptionBudget } from 'kubernetes-types/policy/v1.js';
import { documentsOf, namesIn } from './deployment.js';

/** The kinds that `examples/cluster/kubernetes` has. */
interface Kinds {
  readonly ConfigMap: ConfigMap;
  readonly Deployment: Deployment;
  readonly Ingress: Ingress;
  readonly Namespace: Namespace;
  readonly NetworkPolicy: NetworkPolicy;
  readonly PodDisruptionBudget: PodDisruptionBudget;
  readonly Service: Service;
  readonly StatefulSet: StatefulSet;
}

/** One object of Kubernetes. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: keyof Kinds;
  readonly metadata: { readonly name: string };
}

/** The files with manifests. */
export const files: readonly string[] = namesIn('kubernetes').filter((name) => name !== 'kustomization.yaml');

/** All manifests. */
export const manifests: readonly Manifest[] = files.flatMap((name) =>
  documentsOf(`kubernetes/${name}`),
) as Manifest[];

/** All manifests of a kind. */
export function all<K extends keyof Kinds>(kind: K): Kinds[K][] {
  return manifests.filter((each) => each.kind === kind) as unknown as Kinds[K][];
}

/** The manifest of this kind and name. */
export function one<K extends keyof Kinds>(kind: K, name: string): Kinds[K] {
  const found = manifests.find((each) => each.kind === kind && each.metadata.name === name);
  if (found === undefined) throw new Error(`There is no ${kind} named ${name}`);
  return found as unknown as Kinds[K];
}

/** Pods that are made of one template. */
export interface Pods {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: PodSpec;
  readonly container: Container;
}

/** The pods of every workload. */
export function pods(): Pods[] {
  return [...all('Deployment'), ...all('StatefulSet')].map(({ metadata, spec }) => {
    const podSpec = spec?.template.spec;
    const [container, second] = podSpec?.containers ?? [];
    if (podSpec === undefined || container === undefined || second !== undefined)
      throw new Error('A pod of one container is expected');
    return {
      name: metadata?.name ?? '',
      labels: spec?.template.metadata?.labels ?? {},
      spec: podSpec,
      container,
    };
  });
}

/** The pods that have all of these labels. */
export function selected(labels: Readonly<Record<string, string>> | undefined): Pods[] {
  const wanted = Object.entries(labels ?? {});
  if (wanted.length === 0) throw new Error('A selector without labels selects everything');
  return pods().filter((each) => wanted.every(([name, value]) => each.labels[name] === value));
}
