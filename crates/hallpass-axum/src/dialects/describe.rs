//! What an endpoint is called, does and takes: for `OPTIONS`, as Django REST framework tells it (`SimpleMetadata`), and
//! for the page that a person finds there.

use serde_json::{Map, Value, json};

/// What is told of an endpoint.
pub(super) struct About {
    /// The name of the view, in words.
    pub(super) name: &'static str,
    /// The methods that it takes, as in `Allow`, `OPTIONS` besides.
    pub(super) methods: &'static str,
    /// What it does, on the page.
    pub(super) what: &'static str,
    /// What the original says of it, which `OPTIONS` repeats.
    description: &'static str,
    /// Its fields, in the order of the form.
    pub(super) fields: Vec<Field>,
    /// Whether `OPTIONS` tells the fields: that of a view without a serializer does not.
    actions: bool,
}

/// A field of a request, or one that is only in the answer.
#[derive(Clone, Copy)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) required: bool,
    pub(super) read_only: bool,
    /// Characters of the shortest and the longest value.
    pub(super) shortest: Option<usize>,
    pub(super) longest: Option<usize>,
    /// What it is, on the page.
    pub(super) help: &'static str,
}

/// What a field holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    UserName,
    Email,
    Password,
    NewPassword,
    Token,
    /// The id of something else.
    Key,
}

impl Field {
    pub(super) const USERNAME: Self = Self::needed("username", Kind::UserName, "The name of the account.");
    pub(super) const PASSWORD: Self = Self::needed("password", Kind::Password, "The password of the account.");

    /// A field that must be there.
    pub(super) const fn needed(name: &'static str, kind: Kind, help: &'static str) -> Self {
        Self { name, kind, required: true, read_only: false, shortest: None, longest: None, help }
    }

    /// A field that can be left out.
    pub(super) const fn optional(name: &'static str, kind: Kind, help: &'static str) -> Self {
        Self { required: false, ..Self::needed(name, kind, help) }
    }

    /// A field that is only in the answer.
    pub(super) const fn answered(name: &'static str, kind: Kind, help: &'static str) -> Self {
        Self { read_only: true, ..Self::optional(name, kind, help) }
    }

    /// With at least so many characters.
    pub(super) const fn at_least(self, shortest: usize) -> Self {
        Self { shortest: Some(shortest), ..self }
    }

    /// With at most so many characters.
    pub(super) const fn at_most(self, longest: usize) -> Self {
        Self { longest: Some(longest), ..self }
    }

    /// The name in words, as the framework makes it: `new_password1` is "New password1".
    pub(super) fn label(&self) -> String {
        let words = self.name.replace('_', " ");
        let mut characters = words.chars();
        characters.next().map_or(String::new(), |first| first.to_uppercase().chain(characters).collect())
    }

    fn metadata(&self) -> Value {
        let mut all = Map::new();
        all.insert("type".into(), self.kind.name().into());
        all.insert("required".into(), self.required.into());
        all.insert("read_only".into(), self.read_only.into());
        all.insert("label".into(), self.label().into());
        all.extend(self.shortest.map(|shortest| ("min_length".into(), shortest.into())));
        all.extend(self.longest.map(|longest| ("max_length".into(), longest.into())));
        Value::Object(all)
    }
}

impl Kind {
    /// The framework's name for it (`SimpleMetadata.label_lookup`).
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Text | Self::UserName | Self::Password | Self::NewPassword | Self::Token => "string",
            Self::Email => "email",
            Self::Key => "field",
        }
    }
}

impl About {
    /// A view that takes `POST`, unless it is said otherwise.
    pub(super) fn view(name: &'static str, what: &'static str) -> Self {
        Self { name, methods: "POST", what, description: "", fields: Vec::new(), actions: true }
    }

    /// A view without a serializer, of whose fields the framework knows nothing.
    pub(super) fn by_hand(name: &'static str, what: &'static str) -> Self {
        Self { actions: false, ..Self::view(name, what) }
    }

    pub(super) fn taking(self, methods: &'static str) -> Self {
        Self { methods, ..self }
    }

    pub(super) fn described(self, description: &'static str) -> Self {
        Self { description, ..self }
    }

    pub(super) fn with(self, fields: impl IntoIterator<Item = Field>) -> Self {
        Self { fields: fields.into_iter().collect(), ..self }
    }

    /// What `OPTIONS` answers.
    pub(super) fn metadata(&self) -> Value {
        let mut all = json!({
            "name": self.name,
            "description": self.description,
            "renders": ["application/json", "text/html"],
            "parses": ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"],
        });
        let fields: Map<_, _> = self.fields.iter().map(|field| (field.name.to_owned(), field.metadata())).collect();
        let changing = ["PUT", "POST"].into_iter().filter(|method| self.takes(method));
        let actions: Map<_, _> = changing.map(|method| (method.to_owned(), Value::from(fields.clone()))).collect();
        if let (true, Value::Object(members)) = (self.actions && !actions.is_empty(), &mut all) {
            members.insert("actions".into(), actions.into());
        }
        all
    }

    /// Whether it takes this method.
    pub(super) fn takes(&self, method: &str) -> bool {
        self.methods.split(", ").any(|taken| taken == method)
    }
}
