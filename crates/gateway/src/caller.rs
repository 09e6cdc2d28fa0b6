//! Who calls: which account, in which region.

use crate::Credential;
use afterward_aws::{
    Error, Incoming,
    sigv4::{self, Verifier},
};
use afterward_broker::{Clock, SystemClock};
use afterward_names::{AccountId, Region};
use std::{collections::HashMap, sync::Arc};

/// Knows the credentials, if any are configured.
pub(crate) struct Callers {
    /// `None`: everybody is who they say they are.
    verifier: Option<Verifier>,
    /// Whose the access keys are.
    accounts: HashMap<String, AccountId>,
}

/// Who calls. With credentials configured, this has been verified.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The access key's id; `None` for a request that does not say.
    access_key_id: Option<Arc<str>>,
    /// The account that the access key stands for.
    account: Option<AccountId>,
    /// The region in the signature's scope.
    region: Option<Region>,
}

impl Caller {
    /// The account that the request is signed for; `None` where it does not say.
    pub(crate) fn signed_account(&self) -> Option<AccountId> {
        self.account
    }

    /// The account, or the default one.
    pub(crate) fn account(&self) -> AccountId {
        self.account.unwrap_or(AccountId::DEFAULT)
    }

    /// The region that the request is signed for; `None` where it does not say.
    pub(crate) fn signed_region(&self) -> Option<&Region> {
        self.region.as_ref()
    }

    /// The region, or the default one.
    pub(crate) fn region(&self) -> Region {
        self.region.clone().unwrap_or_default()
    }

    /// What the messages that this caller sends have as their `SenderId`.
    pub(crate) fn sender(&self) -> Box<str> {
        match &self.access_key_id {
            Some(id) => (**id).into(),
            None => self.account().to_string().into(),
        }
    }
}

impl Callers {
    pub(crate) fn new(credentials: &[Credential]) -> Callers {
        let keys = credentials.iter().map(|credential| sigv4::Credential {
            access_key_id: credential.access_key_id.clone(),
            secret_access_key: credential.secret_access_key.clone(),
            session_token: None,
        });
        let accounts = credentials.iter().map(|credential| {
            let of_key = AccountId::of_access_key(&credential.access_key_id);
            (credential.access_key_id.clone(), credential.account.unwrap_or(of_key))
        });
        Callers { verifier: (!credentials.is_empty()).then(|| Verifier::new(keys)), accounts: accounts.collect() }
    }

    /// Whether callers have to sign.
    pub(crate) fn are_verified(&self) -> bool {
        self.verifier.is_some()
    }

    /// Whether the head of a request, whatever its body, may be of somebody who is known.
    pub(crate) fn may_know(&self, incoming: &Incoming<'_>) -> bool {
        self.verifier.as_ref().is_none_or(|verifier| verifier.may_verify(incoming, SystemClock.now_ms()))
    }

    /// Who calls: verified if credentials are configured, else as the request says. `service`: what the signature's
    /// scope must name, if anything.
    ///
    /// # Errors
    /// AWS's, for a signature that is missing or wrong.
    pub(crate) fn identify(&self, incoming: &Incoming<'_>, service: Option<&str>) -> Result<Caller, Error> {
        let said = match &self.verifier {
            // A signature is checked against the machine's time, whatever clock the broker runs by.
            Some(verifier) => verifier.verify(incoming, service, SystemClock.now_ms())?,
            None => sigv4::peek(incoming),
        };
        let account = said.access_key_id.as_deref().map(|id| self.account_of(id));
        // Without verification, a scope that names no region is taken for none.
        let region = said.region.and_then(|region| region.parse().ok());
        Ok(Caller { access_key_id: said.access_key_id, account, region })
    }

    fn account_of(&self, access_key_id: &str) -> AccountId {
        self.accounts.get(access_key_id).copied().unwrap_or_else(|| AccountId::of_access_key(access_key_id))
    }
}
