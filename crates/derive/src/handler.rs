//! From a handler to the same handler and questions about it that the compiler answers one by one.
//!
//! `Worker::on` asks all at once whether a function is a handler, and is told no more than that it is none. Asked for each
//! argument, for what it returns and for its future, the compiler points at the one that is wrong. The questions are in a
//! function that nobody calls.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};
use syn::{
    Attribute, Error, Generics, Ident, Result, Token, Type, Visibility, parenthesized,
    parse::{Parse, ParseStream},
    spanned::Spanned,
};

/// How many arguments may follow a handler's message.
const MOST_EXTRACTORS: usize = 8;

/// The function with the questions after it; or with an error, at the place that has to change.
pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let questions = syn::parse2::<Function>(item.clone()).and_then(|function| function.questions());
    let questions = questions.unwrap_or_else(Error::into_compile_error);
    quote! { #item #questions }
}

/// A function's head.
struct Function {
    is_async: bool,
    keyword: Span,
    name: Ident,
    generics: Generics,
    parentheses: Span,
    arguments: Vec<Type>,
    output: Option<Type>,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> Result<Function> {
        input.call(Attribute::parse_outer)?;
        input.parse::<Visibility>()?;
        let is_async = input.parse::<Option<Token![async]>>()?.is_some();
        let keyword = input.parse::<Token![fn]>()?.span();
        let (name, generics) = (input.parse()?, input.parse()?);
        let inside;
        let parentheses = parenthesized!(inside in input).span.join();
        let mut arguments = Vec::new();
        while !inside.is_empty() {
            arguments.push(argument(&inside)?);
        }
        let output = input.parse::<Option<Token![->]>>()?.map(|_| input.parse()).transpose()?;
        input.parse::<TokenStream>()?; // conditions and the body
        Ok(Function { is_async, keyword, name, generics, parentheses, arguments, output })
    }
}

/// The type of one argument, past its pattern and the comma after it.
fn argument(inside: ParseStream<'_>) -> Result<Type> {
    while !inside.peek(Token![:]) || inside.peek(Token![::]) {
        if inside.peek(Token![::]) {
            inside.parse::<Token![::]>()?;
        } else if let TokenTree::Ident(word) = inside.parse()?
            && word == "self"
        {
            return Err(Error::new(word.span(), "a handler is a free function; what it shares comes as `State<T>`"));
        }
    }
    inside.parse::<Token![:]>()?;
    let argument = inside.parse()?;
    inside.parse::<Option<Token![,]>>()?;
    Ok(argument)
}

impl Function {
    fn questions(&self) -> Result<TokenStream> {
        let refused = |span: Span, why: &str| Err(Error::new(span, why));
        if !self.is_async {
            return refused(self.keyword, "a handler is an async function: `async fn`");
        }
        let Some((first, extractors)) = self.arguments.split_first() else {
            return refused(self.parentheses, "a handler takes what it handles as its first argument");
        };
        if let Some(extractor) = extractors.get(MOST_EXTRACTORS) {
            let why = "a handler takes up to eight arguments after its message: make one type of some, which implements `FromJob`";
            return refused(extractor.span(), why);
        }
        // Of what stands for any type the compiler can't be asked.
        let is_impl = |argument: &Type| matches!(argument, Type::ImplTrait(_));
        if !self.generics.params.is_empty() || self.arguments.iter().any(is_impl) {
            return Ok(TokenStream::new());
        }
        Ok(self.asked(first, extractors))
    }

    fn asked(&self, first: &Type, extractors: &[Type]) -> TokenStream {
        let (name, arguments) = (&self.name, &self.arguments);
        let first = quote_spanned! { first.span() => ::afterward::checks::handles::<#first>(); };
        let extractors = extractors.iter().map(|extractor| {
            quote_spanned! { extractor.span() => ::afterward::checks::extracts::<#extractor>(); }
        });
        let output = self.output.iter().map(|output| {
            quote_spanned! { output.span() => ::afterward::checks::returns::<#output>(); }
        });
        let values: Vec<Ident> = (0..arguments.len()).map(|at| format_ident!("argument_{at}")).collect();
        let future = quote_spanned! { name.span() => ::afterward::checks::is_sent(#name(#(#values),*)); };
        quote! {
            #[allow(dead_code)]
            const _: () = {
                fn asked(#(#values: #arguments),*) {
                    #first
                    #(#extractors)*
                    #(#output)*
                    #future
                }
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn questions(source: &str) -> std::result::Result<String, String> {
        let function: Function = syn::parse_str(source).map_err(|error| error.to_string())?;
        function.questions().map(|tokens| tokens.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_compiler_is_asked_for_each_part() {
        let asked = questions(
            "/// Documented.
             #[must_use] pub(crate) async fn f(a: A, b::State(c): b::State<C<D, E>>, _: Context,) -> Result<(), F> where G: H { i }",
        )
        .unwrap();
        for part in [
            "handles :: < A >",
            "extracts :: < b :: State < C < D , E > > >",
            "extracts :: < Context >",
            "returns :: < Result < () , F > >",
            "is_sent (f (argument_0 , argument_1 , argument_2))",
        ] {
            assert!(asked.contains(part), "{part}: {asked}");
        }
        assert!(!questions("async fn f(a: A) {}").unwrap().contains("returns"));
        assert_eq!(questions("async fn f<T: Message>(a: T) {}").as_deref(), Ok(""));
    }

    #[test]
    fn what_is_no_handler_is_refused_with_the_reason() {
        for (source, words) in [
            ("fn f(a: A) {}", "an async function"),
            ("async fn f() {}", "as its first argument"),
            ("async fn f(a: A, b: B, c: B, d: B, e: B, g: B, h: B, i: B, j: B, k: B) {}", "up to eight"),
            ("async fn f(&self, a: A) {}", "a free function"),
            ("struct A;", "expected `fn`"),
        ] {
            let refused = questions(source).unwrap_err();
            assert!(refused.contains(words), "{source}: {refused}");
        }
    }
}
