/**
 * The rules of this repository that oxlint has none of its own for (see CONTRIBUTING.md). `check-lint-rules.mjs` shows that each of them
 * really reports.
 */

/** Names that say nothing about what a file holds. */
const EMPTY_NAMES = new Set([
  'common',
  'constants',
  'helper',
  'helpers',
  'misc',
  'shared',
  'types',
  'util',
  'utils',
]);

const noPrivateKeyword = {
  create(context) {
    const check = (node) => {
      if (node.accessibility === 'private') {
        context.report({
          node,
          message: 'Use a #private name: the `private` keyword hides nothing at run time.',
        });
      }
    };
    return {
      PropertyDefinition: check,
      MethodDefinition: check,
      AccessorProperty: check,
      TSAbstractPropertyDefinition: check,
      TSAbstractMethodDefinition: check,
      TSParameterProperty: check,
    };
  },
};

const fileNamedForItsThing = {
  create(context) {
    return {
      Program(node) {
        const path = context.filename.replaceAll('\\', '/');
        const name = path.slice(path.lastIndexOf('/') + 1).replace(/\..*$/, '');
        if (EMPTY_NAMES.has(name)) {
          context.report({
            node,
            message: `"${name}" says nothing: name the file after the one thing it holds.`,
          });
        }
        if (
          name === 'index' &&
          /\/packages\//.test(path) &&
          !/\/packages\/[^/]+\/src\/index\.ts$/.test(path)
        ) {
          context.report({ node, message: 'index.ts is the name of a package door only.' });
        }
      },
    };
  },
};

const explicitDoor = {
  create(context) {
    return {
      ExportAllDeclaration(node) {
        context.report({ node, message: 'List the exported names one by one.' });
      },
    };
  },
};

const arguedException = {
  create(context) {
    return {
      Program() {
        for (const comment of context.sourceCode.getAllComments()) {
          if (/^\s*(?:oxlint|eslint)-disable/.test(comment.value) && !/\s--\s+\S/.test(comment.value)) {
            context.report({
              node: comment,
              message: 'An exception to a rule carries its reason: `… -- why`.',
            });
          }
        }
      },
    };
  },
};

const exportedDocstring = {
  create(context) {
    /** Of each exported name, its first declaration and whether any of them (overloads, merged interfaces) has a docstring. */
    const exported = new Map();
    const note = (name, node, statement) => {
      const comments = context.sourceCode.getCommentsBefore(statement);
      const last = comments.at(-1);
      const text = last?.type === 'Block' && last.value.startsWith('*') ? last.value : undefined;
      const known = exported.get(name);
      if (known === undefined) exported.set(name, { node, text });
      else known.text ??= text;
      if (node.type === 'ClassDeclaration' && text !== undefined && !/^\*\s*(?:\*\s*)?Owns\b/.test(text)) {
        const parent = node.superClass?.type === 'Identifier' ? node.superClass.name : '';
        if (!parent.endsWith('Error')) {
          context.report({
            node: node.id ?? node,
            message: 'The docstring of a class starts with "Owns …".',
          });
        }
      }
    };
    const declaration = (statement) => {
      const node = statement.declaration;
      if (node === null || node === undefined) return;
      if (node.type === 'VariableDeclaration') {
        for (const each of node.declarations) {
          if (each.id.type === 'Identifier') note(each.id.name, each.id, statement);
        }
      } else if (node.id?.type === 'Identifier') {
        note(node.id.name, node, statement);
      }
    };
    return {
      ExportNamedDeclaration: declaration,
      ExportDefaultDeclaration: declaration,
      'Program:exit'() {
        for (const [name, { node, text }] of exported) {
          if (text === undefined)
            context.report({ node, message: `The exported name ${name} needs a docstring.` });
        }
      },
    };
  },
};

export default {
  meta: { name: 'repo' },
  rules: {
    'argued-exception': arguedException,
    'explicit-door': explicitDoor,
    'exported-docstring': exportedDocstring,
    'file-named-for-its-thing': fileNamedForItsThing,
    'no-private-keyword': noPrivateKeyword,
  },
};
