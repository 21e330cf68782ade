// Of "cloudflare:email", which workerd has only where wrangler starts it. Nothing here sends any.

export class EmailMessage {}
