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
    plugins: [plainWhereLong],
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
