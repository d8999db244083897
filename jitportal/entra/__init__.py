"""What the portal asks Entra ID about people beside their sign-in, through Microsoft Graph."""
