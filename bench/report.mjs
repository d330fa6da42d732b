import { short, shown, unitText } from './figure-text.mjs';
import { mainFigureOf, targetOf } from './statistics.mjs';

/**
 * The results as a table in Markdown: medians, and of ours the ratios and whether the target is met.
 * @param {object} result as in a result file
 * @param {import('./scenarios.mjs').Scenario[]} scenarios
 * @param {import('./servers.mjs').ServerKind[]} servers
 * @returns {string}
 */
export function table(result, scenarios, servers) {
  const header = [
    'scenario',
    'unit',
    ...servers.map(({ name }) => name),
    'ours to upstream',
    'to the Node limit',
    'to Bun',
    'target',
  ];
  const peers = servers.filter(({ isPeer }) => isPeer).map(({ name }) => name);
  const rows = result.scenarios.map(({ name, servers: summaries }) => {
    const scenario = scenarios.find((each) => each.name === name);
    const figure = mainFigureOf(scenario);
    const target = targetOf(scenario, summaries, peers);
    const ratio = (to) => {
      const value = summaries.ours?.[figure]?.to[to];
      return value === undefined ? '' : value.toFixed(2);
    };
    return [
      scenario.title,
      unitText(figure, scenario.unit),
      ...servers.map((server) => cell(summaries[server.name]?.[figure], figure)),
      ratio('upstream'),
      ratio('node-limit'),
      ratio('bun'),
      target === undefined ? '' : `${target.text}: ${target.isMet ? 'met' : 'MISSED'}`,
    ];
  });
  return markdown([header, ...rows]);
}

/**
 * Latencies and the delay of the event loop, as a table in Markdown.
 * @param {object} result as in a result file
 * @param {import('./scenarios.mjs').Scenario[]} scenarios
 * @param {import('./servers.mjs').ServerKind[]} servers
 */
export function latencyTable(result, scenarios, servers) {
  const header = [
    'scenario',
    'server',
    'per second',
    'p50 ms',
    'p99 ms',
    'p99.9 ms',
    'loop delay p99 ms',
    'server busy',
    'load generator busy',
  ];
  const rows = [];
  for (const { name, servers: summaries } of result.scenarios) {
    const { title } = scenarios.find((each) => each.name === name);
    for (const server of servers) {
      const summary = summaries[server.name];
      if (summary?.['latencyMs.p50'] === undefined) continue;
      const text = (figure) => (summary[figure] === undefined ? '' : short(summary[figure].median));
      const share = (figure) =>
        summary[figure] === undefined ? '' : `${Math.round(summary[figure].median * 100)} %`;
      rows.push([
        title,
        server.name,
        text('perSecond'),
        text('latencyMs.p50'),
        text('latencyMs.p99'),
        text('latencyMs.p999'),
        text('loopDelayP99Ms'),
        share('serverBusy'),
        share('loadBusy'),
      ]);
    }
  }
  return markdown([header, ...rows]);
}

function cell(summary, figure) {
  if (summary === undefined) return '';
  const [median, min, max] = [summary.median, summary.min, summary.max].map((value) =>
    short(shown(figure, value)),
  );
  return min === max ? median : `${median} (${min}–${max})`;
}

/** A table in Markdown, its first row the head. @param {string[][]} rows */
export function markdown(rows) {
  const widths = rows[0].map((_, column) => Math.max(3, ...rows.map((row) => row[column].length)));
  const lines = rows.map(
    (row) => `| ${row.map((text, column) => text.padEnd(widths[column])).join(' | ')} |`,
  );
  lines.splice(1, 0, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`);
  return lines.join('\n');
}
