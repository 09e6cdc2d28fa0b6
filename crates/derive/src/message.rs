//! From a type's definition to its `impl Message`, or to an error at the place that has to change.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Error, LitStr, Result, meta::ParseNestedMeta, spanned::Spanned};

/// The prefix of type names that are Afterward's own.
const RESERVED: &str = "afterward:";
/// Longer than any name that means something; it travels with every message.
const LONGEST_TYPE_BYTES: usize = 256;

/// The `impl Message` of a type.
pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    if !input.generics.params.is_empty() {
        let why = "a message has no generic parameters: one type name stands for one shape of payload";
        return Err(Error::new(input.generics.span(), why));
    }
    let type_name = checked(type_name(input)?)?;
    let ident = &input.ident;
    Ok(quote! {
        #[automatically_derived]
        impl ::afterward::Message for #ident {
            const TYPE: &'static str = #type_name;
        }
    })
}

/// What `#[message(type = "…")]` says.
fn type_name(input: &DeriveInput) -> Result<LitStr> {
    let mut found: Option<LitStr> = None;
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("message")) {
        attribute.parse_nested_meta(|meta| read(&meta, &mut found))?;
    }
    found.ok_or_else(|| {
        let why = format!(
            "a message needs a type name, which it keeps when the Rust type is renamed: \
             add #[message(type = \"…\")] to `{}`",
            input.ident
        );
        Error::new(input.ident.span(), why)
    })
}

fn read(meta: &ParseNestedMeta<'_>, found: &mut Option<LitStr>) -> Result<()> {
    if !meta.path.is_ident("type") {
        return Err(meta.error("unknown setting of a message: there is `type = \"…\"`"));
    }
    if found.is_some() {
        return Err(meta.error("the message's type is set twice"));
    }
    *found = Some(meta.value()?.parse()?);
    Ok(())
}

/// Refuses names that can't work, at the name.
fn checked(literal: LitStr) -> Result<LitStr> {
    let name = literal.value();
    let why = if name.is_empty() {
        "a message's type name can't be empty"
    } else if name.starts_with(RESERVED) {
        "type names that start with `afterward:` are reserved for Afterward's own messages: choose another prefix"
    } else if name.len() > LONGEST_TYPE_BYTES {
        "a message's type name is at most 256 bytes long"
    } else if name.chars().any(|c| c.is_control() || c.is_whitespace()) {
        "a message's type name has no spaces and no control characters"
    } else {
        return Ok(literal);
    };
    Err(Error::new(literal.span(), why))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(source: &str) -> std::result::Result<String, String> {
        let input: DeriveInput = syn::parse_str(source).unwrap();
        expand(&input).map(|tokens| tokens.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_attribute_names_the_type() {
        let code = expanded(r#"#[message(type = "order:new")] struct OrderNew { id: u64 }"#).unwrap();
        assert!(code.contains(r#"impl :: afterward :: Message for OrderNew"#), "{code}");
        assert!(code.contains(r#"const TYPE : & 'static str = "order:new" ;"#), "{code}");
        assert!(expanded(r#"#[message(type = "a")] enum E { A, B }"#).is_ok());
    }

    #[test]
    fn what_cannot_work_is_refused_with_the_reason() {
        let long = format!(r#"#[message(type = "{}")] struct A;"#, "x".repeat(257));
        for (source, words) in [
            ("struct A;", "add #[message(type = \"…\")] to `A`"),
            ("#[message()] struct A;", "needs a type name"),
            (r#"#[message(type = "")] struct A;"#, "can't be empty"),
            (r#"#[message(type = "afterward:x")] struct A;"#, "reserved"),
            (r#"#[message(type = "a b")] struct A;"#, "no spaces"),
            (&long, "at most 256"),
            (r#"#[message(kind = "a")] struct A;"#, "unknown setting"),
            (r#"#[message(type = "a", type = "b")] struct A;"#, "set twice"),
            (r#"#[message(type = 3)] struct A;"#, "expected string literal"),
            (r#"#[message(type = "a")] struct A<T>(T);"#, "generic parameters"),
        ] {
            let error = expanded(source).unwrap_err();
            assert!(error.contains(words), "{source}: {error}");
        }
    }
}
