// Served in place of the package's own initializer: the page's settings, and sign-in by "Execute" on login.
window.onload = function () {
  // Colours for a long answer, such as this document's own, would hold the page up for seconds.
  const plainWhereLong = function (system) {
    return {
      wrapComponents: {
        SyntaxHighlighter: function (Coloured) {
          return function (props) {
            const long = typeof props.children === "string" && props.children.length > 100000;
            return long
              ? system.React.createElement("pre", { className: "microlight" }, props.children)
              : system.React.createElement(Coloured, props);
          };
        },
      },
    };
  };

  // Opening an operation resolves its references in the whole document, which takes seconds. What the operation refers to is enough.
  const resolvedAlone = function (system) {
    const referredTo = function (document, part) {
      const components = {};
      const left = [part];
      const known = new Set();
      while (left.length > 0) {
        const one = left.pop();
        if (!one || typeof one !== "object") continue;
        for (const [key, value] of Object.entries(one)) {
          if (key !== "$ref" || typeof value !== "string") { left.push(value); continue; }
          if (known.has(value)) continue;
          known.add(value);
          const [, , kind, name] = value.split("/");
          components[kind] = components[kind] || {};
          components[kind][name] = document.components[kind][name];
          left.push(components[kind][name]);
        }
      }
      return components;
    };
    let document;
    return {
      statePlugins: {
        spec: {
          wrapActions: {
            requestResolvedSubtree: function (original, system) {
              return function (place) {
                document = document || system.specSelectors.specJson().toJS();
                const [under, path, method] = place;
                if (under !== "paths" || !method) return original(place);
                if (system.specSelectors.specResolvedSubtree(place)) return { type: "nothing" };
                const operation = document.paths[path][method];
                const small = Object.assign({}, document, {
                  paths: { [path]: { [method]: operation } },
                  components: referredTo(document, operation),
                });
                system.fn
                  .resolveSubtree(small, place, { baseDoc: system.specSelectors.url() })
                  .then(function (resolved) { system.specActions.updateResolvedSubtree(place, resolved.spec); })
                  .catch(function () { original(place); });
                return { type: "nothing" };
              };
            },
          },
        },
      },
    };
  };
  // The page makes an example of XML by the schema, which here is a text; the example of the document is one already.
  const xmlAsItStands = {
    afterLoad: function (system) {
      const made = system.fn.getSampleSchema;
      system.fn.getSampleSchema = function (schema, type, config, example) {
        return typeof example === "string" && /xml/.test(type) ? example : made(schema, type, config, example);
      };
    },
  };
  const login = /\/v1\/auth\/login$/;
  window.ui = SwaggerUIBundle({
    url: "../openapi.json",
    dom_id: "#swagger-ui",
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    displayOperationId: true,
    displayRequestDuration: true,
    docExpansion: "list",
    filter: true,
    persistAuthorization: true,
    tryItOutEnabled: true,
    validatorUrl: null,
    presets: [SwaggerUIBundle.presets.apis],
    plugins: [plainWhereLong, resolvedAlone, xmlAsItStands],
    layout: "BaseLayout",
    onComplete: function () {
      document.title = window.ui.specSelectors.info().get("title");
    },
    responseInterceptor: function (response) {
      if (login.test(response.url || "") && response.ok && response.obj && response.obj.access_token) {
        const schema = window.ui.specSelectors.specJson().getIn(["components", "securitySchemes", "bearer"]).toJS();
        const bearer = { name: "bearer", schema: schema, value: response.obj.access_token };
        window.ui.authActions.authorizeWithPersistOption({ bearer: bearer });
      }
      return response;
    },
  });
};
