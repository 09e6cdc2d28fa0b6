//! The error catalogue: AWS's codes, and AWS's wording for the errors that many actions share.

use http::StatusCode;
use std::fmt;
use thiserror::Error as ThisError;

/// Whose fault an error is, in AWS's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The request has to change.
    Sender,
    /// The same request may succeed later.
    Receiver,
}

impl Fault {
    /// As `x-amzn-query-error` and XML's `Type` have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Fault::Sender => "Sender",
            Fault::Receiver => "Receiver",
        }
    }
}

/// Where a JSON error's name comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Namespace {
    /// SQS's model.
    Sqs,
    /// EventBridge Scheduler's model.
    Scheduler,
    /// The framework under every AWS service.
    Common,
}

/// What the wire says of a code.
#[derive(Debug, Clone, Copy)]
struct Facts {
    namespace: Namespace,
    shape: &'static str,
    query: &'static str,
    status: u16,
}

macro_rules! catalogue {
    ($($(#[$doc:meta])* $code:ident = $namespace:ident, $shape:literal, $query:literal, $status:literal;)*) => {
        /// What went wrong, by AWS's names. Named as JSON names it, without a trailing `Exception`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[allow(missing_docs)] // AWS's names
        pub enum Code {
            $($(#[$doc])* $code,)*
        }

        impl Code {
            /// Every code there is.
            pub const ALL: &'static [Code] = &[$(Code::$code),*];

            fn facts(self) -> Facts {
                match self {
                    $(Code::$code => Facts {
                        namespace: Namespace::$namespace,
                        shape: $shape,
                        query: $query,
                        status: $status,
                    },)*
                }
            }
        }
    };
}

// Source: the models' `awsQueryError` and `httpError` traits for SQS's and Scheduler's own; "Common Errors" of the
// SQS API reference for the rest. The columns: JSON's shape name, Query's code, HTTP status.
catalogue! {
    BatchEntryIdsNotDistinct = Sqs, "BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", 400;
    BatchRequestTooLong = Sqs, "BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong", 400;
    EmptyBatchRequest = Sqs, "EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest", 400;
    InvalidAddress = Sqs, "InvalidAddress", "InvalidAddress", 404;
    InvalidAttributeName = Sqs, "InvalidAttributeName", "InvalidAttributeName", 400;
    InvalidAttributeValue = Sqs, "InvalidAttributeValue", "InvalidAttributeValue", 400;
    InvalidBatchEntryId = Sqs, "InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId", 400;
    InvalidIdFormat = Sqs, "InvalidIdFormat", "InvalidIdFormat", 404;
    InvalidMessageContents = Sqs, "InvalidMessageContents", "InvalidMessageContents", 400;
    InvalidSecurity = Sqs, "InvalidSecurity", "InvalidSecurity", 403;
    KmsAccessDenied = Sqs, "KmsAccessDenied", "KMS.AccessDeniedException", 400;
    KmsDisabled = Sqs, "KmsDisabled", "KMS.DisabledException", 400;
    KmsInvalidKeyUsage = Sqs, "KmsInvalidKeyUsage", "KMS.InvalidKeyUsageException", 400;
    KmsInvalidState = Sqs, "KmsInvalidState", "KMS.InvalidStateException", 400;
    KmsNotFound = Sqs, "KmsNotFound", "KMS.NotFoundException", 400;
    KmsOptInRequired = Sqs, "KmsOptInRequired", "KMS.OptInRequired", 403;
    KmsThrottled = Sqs, "KmsThrottled", "KMS.ThrottlingException", 400;
    MessageNotInflight = Sqs, "MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight", 400;
    OverLimit = Sqs, "OverLimit", "OverLimit", 403;
    PurgeQueueInProgress = Sqs, "PurgeQueueInProgress", "AWS.SimpleQueueService.PurgeQueueInProgress", 403;
    QueueDeletedRecently = Sqs, "QueueDeletedRecently", "AWS.SimpleQueueService.QueueDeletedRecently", 400;
    QueueDoesNotExist = Sqs, "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", 400;
    QueueNameExists = Sqs, "QueueNameExists", "QueueAlreadyExists", 400;
    ReceiptHandleIsInvalid = Sqs, "ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", 404;
    RequestThrottled = Sqs, "RequestThrottled", "RequestThrottled", 403;
    ResourceNotFound = Sqs, "ResourceNotFoundException", "ResourceNotFoundException", 404;
    TooManyEntriesInBatchRequest = Sqs, "TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", 400;
    UnsupportedOperation = Sqs, "UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation", 400;

    Conflict = Scheduler, "ConflictException", "Conflict", 409;
    ServiceQuotaExceeded = Scheduler, "ServiceQuotaExceededException", "ServiceQuotaExceeded", 402;
    Validation = Scheduler, "ValidationException", "ValidationError", 400;

    AccessDenied = Common, "AccessDeniedException", "AccessDenied", 403;
    IncompleteSignature = Common, "IncompleteSignatureException", "IncompleteSignature", 400;
    InternalFailure = Common, "InternalFailure", "InternalFailure", 500;
    /// An `Action` that the service does not have.
    InvalidAction = Common, "UnknownOperationException", "InvalidAction", 400;
    InvalidClientTokenId = Common, "UnrecognizedClientException", "InvalidClientTokenId", 403;
    InvalidParameterCombination = Common, "InvalidParameterCombinationException", "InvalidParameterCombination", 400;
    InvalidParameterValue = Common, "InvalidParameterValueException", "InvalidParameterValue", 400;
    InvalidQueryParameter = Common, "InvalidQueryParameterException", "InvalidQueryParameter", 400;
    MalformedQueryString = Common, "MalformedQueryStringException", "MalformedQueryString", 400;
    MissingAction = Common, "MissingActionException", "MissingAction", 400;
    MissingAuthenticationToken = Common, "MissingAuthenticationTokenException", "MissingAuthenticationToken", 403;
    MissingParameter = Common, "MissingRequiredParameterException", "MissingParameter", 400;
    RequestEntityTooLarge = Common, "RequestEntityTooLargeException", "RequestEntityTooLarge", 413;
    /// A presigned request later than its `X-Amz-Expires`.
    RequestExpired = Common, "RequestExpiredException", "RequestExpired", 400;
    /// A body that isn't what its protocol calls for.
    Serialization = Common, "SerializationException", "MalformedInput", 400;
    ServiceUnavailable = Common, "ServiceUnavailableException", "ServiceUnavailable", 503;
    SignatureDoesNotMatch = Common, "InvalidSignatureException", "SignatureDoesNotMatch", 403;
    Throttling = Common, "ThrottlingException", "Throttling", 400;
}

impl Code {
    /// The name in JSON's `__type`, with its namespace: `com.amazonaws.sqs#QueueDoesNotExist`.
    pub fn json_type(self) -> String {
        let facts = self.facts();
        let namespace = match facts.namespace {
            Namespace::Sqs => "com.amazonaws.sqs",
            Namespace::Scheduler => "com.amazonaws.scheduler",
            Namespace::Common => "com.amazon.coral.service",
        };
        format!("{namespace}#{}", facts.shape)
    }

    /// The name in JSON without its namespace: `QueueDoesNotExist`.
    pub fn shape(self) -> &'static str {
        self.facts().shape
    }

    /// The code in the Query protocol, which `x-amzn-query-error` and the batch results have too:
    /// `AWS.SimpleQueueService.NonExistentQueue`.
    pub fn query_code(self) -> &'static str {
        self.facts().query
    }

    /// The HTTP status, in both protocols.
    pub fn status(self) -> StatusCode {
        StatusCode::from_u16(self.facts().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Whose fault it is.
    pub fn fault(self) -> Fault {
        if self.facts().status >= 500 { Fault::Receiver } else { Fault::Sender }
    }
}

/// Why an action failed, as its caller is told.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[error("{}: {message}", code.query_code())]
pub struct Error {
    /// What went wrong.
    pub code: Code,
    /// The same for people.
    pub message: String,
}

impl Error {
    /// An error in the caller's words.
    pub fn new(code: Code, message: impl Into<String>) -> Error {
        Error { code, message: message.into() }
    }

    /// The queue isn't there.
    pub fn queue_does_not_exist() -> Error {
        Error::new(Code::QueueDoesNotExist, "The specified queue does not exist.")
    }

    /// A value that its parameter can't have, in the words that AWS has for the case.
    pub fn invalid_parameter_value(message: impl Into<String>) -> Error {
        Error::new(Code::InvalidParameterValue, message)
    }

    /// A value that its parameter can't have, with the reason; AWS's usual sentence.
    pub fn invalid_value(value: impl fmt::Display, parameter: &str, reason: impl fmt::Display) -> Error {
        let message = format!("Value {value} for parameter {parameter} is invalid. Reason: {reason}");
        Error::new(Code::InvalidParameterValue, message)
    }

    /// A parameter that has to be there and isn't.
    pub fn missing_parameter(parameter: &str) -> Error {
        Error::new(Code::MissingParameter, format!("The request must contain the parameter {parameter}."))
    }

    /// An attribute that there isn't.
    pub fn invalid_attribute_name(attribute: &str) -> Error {
        Error::new(Code::InvalidAttributeName, format!("Unknown Attribute {attribute}."))
    }

    /// A value that its queue attribute can't have.
    pub fn invalid_attribute_value(attribute: &str) -> Error {
        Error::new(Code::InvalidAttributeValue, format!("Invalid value for the parameter {attribute}."))
    }

    /// A receipt handle that this service never gave out.
    pub fn receipt_handle_is_invalid(receipt_handle: &str) -> Error {
        let message = format!("The input receipt handle \"{receipt_handle}\" is not a valid receipt handle.");
        Error::new(Code::ReceiptHandleIsInvalid, message)
    }

    /// An action that SQS does not have.
    pub fn invalid_action(action: &str) -> Error {
        let message = format!("The action {action} is not valid for this endpoint.");
        Error::new(Code::InvalidAction, message)
    }

    /// A JSON call whose `X-Amz-Target` is missing, or another service's.
    pub fn unknown_target(target: &str) -> Error {
        let message = format!(
            "The header X-Amz-Target has to name an action of SQS, as in AmazonSQS.SendMessage. It reads '{target}'."
        );
        Error::new(Code::InvalidAction, message)
    }

    /// A Query call that names no action.
    pub fn missing_action() -> Error {
        Error::new(Code::MissingAction, "The request must contain the parameter Action.")
    }

    /// A body that isn't what its protocol calls for.
    pub fn serialization(message: impl Into<String>) -> Error {
        Error::new(Code::Serialization, message)
    }

    /// The service is broken.
    pub fn internal_failure() -> Error {
        let message = "The request processing has failed because of an unknown error, exception or failure.";
        Error::new(Code::InternalFailure, message)
    }

    /// The service can't answer now.
    pub fn service_unavailable(message: impl Into<String>) -> Error {
        Error::new(Code::ServiceUnavailable, message)
    }

    /// A body larger than the server reads.
    pub fn request_entity_too_large(limit_bytes: usize) -> Error {
        let message = format!("The request must be at most {limit_bytes} bytes long.");
        Error::new(Code::RequestEntityTooLarge, message)
    }
}

/// Why an action failed, as a client reads it from any service's reply.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[error("{code}: {message}")]
pub struct RemoteError {
    /// The shape's name without its namespace, as `QueueDoesNotExist`; see [`Code::shape`].
    pub code: String,
    /// What the service says.
    pub message: String,
    /// The HTTP status.
    pub status: u16,
}
